import { sleep } from '../../../src/base/index.ts';
import type { ApiReply } from '../../../src/emulator/index.ts';
import type { Side } from './side.ts';
import type { World } from './world.ts';

const API = '/api/v10';
const PAGE = 100;
/** Discord blocks callers that do not name themselves so. */
const USER_AGENT = 'DiscordBot (https://github.com/discodb/discodb, plain)';

interface Row {
  readonly _id: number;
  readonly count: number;
  readonly name: string;
  readonly padding: string;
}

interface Found {
  readonly message: string;
  readonly row: Row;
}

type Ask = World['ask'];

/**
 * Discord as a database, the plain way, as the first DiscoDB did it: a document is a message, an update edits it, one
 * request goes after another, and whatever is looked for is looked for page by page, newest first, for nothing is kept in
 * memory. Discord's headers are heeded: where nothing remains of a route's limit, the next request waits for the reset.
 */
export class PlainWay implements Side {
  readonly #world: World;
  readonly #channel: string;
  /** When each route may be asked again. */
  readonly #freeAt = new Map<string, number>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(world: World, channel: string) {
    this.#world = world;
    this.#channel = channel;
  }

  /** With `count` documents that were written before Discord began to count. */
  static async open(world: World, count: number): Promise<PlainWay> {
    const near: Ask = (request) => world.emulator.handle(request);
    const { guildId } = world.emulator.credentials();
    const made = await send(world, near, 'POST', `/guilds/${guildId}/channels`, { name: 'plain', type: 0 });
    const channel = String((read(made) as { id: string }).id);
    const path = `/channels/${channel}/messages`;
    for (let id = 0; id < count; id++) read(await send(world, near, 'POST', path, { content: content(id, 0) }));
    await world.limit();
    return new PlainWay(world, channel);
  }

  insert(_client: number, ids: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const id of ids) await this.#request('POST', '', { content: content(id, 0) });
    });
  }

  read(_client: number, id: number): Promise<void> {
    return this.#inTurn(async () => void (await this.#find(id)));
  }

  update(_client: number, id: number): Promise<void> {
    return this.#inTurn(async () => {
      const { message, row } = await this.#find(id);
      await this.#request('PATCH', `/${message}`, { content: content(id, row.count + 1) });
    });
  }

  scan(_client: number, from: number, count: number): Promise<void> {
    return this.#inTurn(async () => {
      const rows: Row[] = [];
      for await (const page of this.#pages()) rows.push(...page.map(({ row }) => row).filter(({ _id }) => _id >= from));
      rows.sort((left, right) => left._id - right._id).splice(count);
      if (rows[0]?._id !== from) throw new Error(`document ${from} is not there`);
    });
  }

  async #find(id: number): Promise<Found> {
    for await (const page of this.#pages()) {
      const found = page.find(({ row }) => row._id === id);
      if (found) return found;
    }
    throw new Error(`document ${id} is not there`);
  }

  async *#pages(): AsyncGenerator<Found[]> {
    let before = '';
    for (;;) {
      const page = (await this.#request('GET', `?limit=${PAGE}${before}`)) as { id: string; content: string }[];
      yield page.map((message) => ({ message: message.id, row: JSON.parse(message.content) as Row }));
      const last = page.at(-1);
      if (!last || page.length < PAGE) return;
      before = `&before=${last.id}`;
    }
  }

  /** One after another, in the order in which they were asked for. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  async #request(method: string, rest: string, body?: object): Promise<unknown> {
    const { clock } = this.#world;
    for (;;) {
      await sleep(clock, Math.max(0, (this.#freeAt.get(method) ?? 0) - clock.now()));
      const path = `/channels/${this.#channel}/messages${rest}`;
      const reply = await send(this.#world, (request) => this.#world.ask(request), method, path, body);
      const wait = reply.status === 429 ? reply.headers['retry-after'] : resetAfter(reply);
      if (wait !== undefined) this.#freeAt.set(method, clock.now() + Number(wait) * 1000);
      if (reply.status !== 429) return read(reply);
    }
  }
}

function resetAfter({ headers }: ApiReply): string | undefined {
  return headers['x-ratelimit-remaining'] === '0' ? headers['x-ratelimit-reset-after'] : undefined;
}

function content(id: number, count: number): string {
  const row: Row = { _id: id, count, name: `document ${String(id).padStart(10, '0')}`, padding: 'x'.repeat(131) };
  return JSON.stringify(row);
}

function send({ emulator }: World, ask: Ask, method: string, path: string, body?: object): Promise<ApiReply> {
  const authorization = `Bot ${emulator.credentials().token}`;
  const headers = { authorization, 'content-type': 'application/json', 'user-agent': USER_AGENT };
  return ask({ method, path: `${API}${path}`, headers, body: Buffer.from(body ? JSON.stringify(body) : '') });
}

function read(reply: ApiReply): unknown {
  if (reply.status >= 300) throw new Error(`Discord answered ${reply.status}: ${Buffer.from(reply.body).toString()}`);
  return JSON.parse(Buffer.from(reply.body).toString());
}
