import type { GatewayListener, OpenGateway } from '../../../src/discord/gateway-link.ts';
import type { World } from './fake-discord.ts';

export const HEARTBEAT_MS = 40_000;

/** One connection as the other side sees it. */
export class FakeConnection {
  readonly url: string;
  readonly heard: { op: number; d: unknown }[] = [];
  /** The client's close code. */
  closedWith: number | undefined;
  readonly #listener: GatewayListener;
  #seq = 0;

  constructor(url: string, listener: GatewayListener) {
    this.url = url;
    this.#listener = listener;
  }

  say(payload: unknown): void {
    this.#listener.received(payload);
  }

  hello(): void {
    this.say({ op: 10, d: { heartbeat_interval: HEARTBEAT_MS }, s: null, t: null });
  }

  dispatch(t: string, d: unknown): void {
    this.say({ op: 0, d, s: ++this.#seq, t });
  }

  ready(sessionId = 's1'): void {
    this.dispatch('READY', { session_id: sessionId, resume_gateway_url: 'wss://resume.test', guilds: [] });
  }

  resumed(): void {
    this.dispatch('RESUMED', {});
  }

  close(code: number): void {
    this.#listener.closed(code);
  }

  get ops(): number[] {
    return this.heard.map(({ op }) => op);
  }
}

/** A gateway that says what a test tells it to, or what `script` does with each connection. */
export class FakeGateway {
  readonly connections: FakeConnection[] = [];
  readonly open: OpenGateway;

  constructor(world: World, script: (connection: FakeConnection, at: number) => void = () => {}) {
    this.open = (url, listener) => {
      const connection = new FakeConnection(url, listener);
      const at = this.connections.push(connection) - 1;
      world.clock.soon(() => script(connection, at));
      return {
        send: (payload) => {
          connection.heard.push(JSON.parse(JSON.stringify(payload)) as { op: number; d: unknown });
        },
        close: (code) => {
          connection.closedWith = code;
        },
      };
    };
  }

  get last(): FakeConnection {
    return this.connections.at(-1)!;
  }
}
