import type { Gateway } from '../../../src/emulator/gateway.ts';
import type { GatewayConnection } from '../../../src/emulator/gateway-connection.ts';
import { INTENT, OP, type Payload } from '../../../src/emulator/gateway-protocol.ts';
import type { JsonObject } from '../../../src/emulator/types.ts';

export const ALL_INTENTS = INTENT.guilds | INTENT.guildMessages | INTENT.messageContent;

/** A client of the gateway without a socket: says what it is told to say, and keeps what it hears. */
export class GatewayClient {
  readonly heard: Payload[] = [];
  closedWith: number | undefined;
  readonly #connection: GatewayConnection;

  constructor(gateway: Gateway, version = '10') {
    const link = {
      send: (payload: Payload) => void this.heard.push(payload),
      close: (code: number) => {
        this.closedWith = code;
      },
    };
    this.#connection = gateway.connect(link, version);
  }

  say(op: number, d: unknown): void {
    this.sayText(JSON.stringify({ op, d }));
  }

  sayText(text: string): void {
    this.#connection.receive(text);
  }

  identify(token: string, intents = ALL_INTENTS, more: object = {}): void {
    this.say(OP.identify, { token, intents, properties: { os: 'linux', browser: 'test', device: 'test' }, ...more });
  }

  resume(token: string, sessionId: string, seq: number): void {
    this.say(OP.resume, { token, session_id: sessionId, seq });
  }

  /** The socket goes away: with a close code of the client, or broken. */
  hangUp(code?: number): void {
    this.#connection.closed(code);
  }

  /** Opcodes heard, in order. */
  get ops(): number[] {
    return this.heard.map(({ op }) => op);
  }

  /** Names of the events heard, in order. */
  get events(): string[] {
    return this.heard.flatMap(({ op, t }) => (op === OP.dispatch && t !== null ? [t] : []));
  }

  /** The `d` of every event of a type. */
  all(type: string): JsonObject[] {
    return this.heard.filter(({ t }) => t === type).map(({ d }) => d as JsonObject);
  }

  get sessionId(): string {
    return String(this.all('READY')[0]?.session_id);
  }

  /** Number of the last event heard. */
  get seq(): number {
    return this.heard.reduce((last, { s }) => s ?? last, 0);
  }
}
