import { seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { type Disk, MemoryDisk } from '../../../src/emulator/disk.ts';
import { Emulator, type EmulatorOptions } from '../../../src/emulator/emulator.ts';
import type { CoreEvent, LimitMode } from '../../../src/emulator/types.ts';

/** The fields of Discord's objects that the tests look into; what else is there they compare whole. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly content: string;
  readonly url: string;
  readonly filename: string;
  readonly retry_after: number;
  readonly attachments: readonly Shown[];
  readonly parent_id: string | null;
  readonly position: number;
  readonly [name: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Shown;
  /** The body where it is an array. */
  readonly list: readonly Shown[];
  readonly bytes: Uint8Array;
}

/** An emulator in virtual time, with a client that speaks as its first bot. */
export class Fixture {
  readonly clock: VirtualClock;
  readonly emulator: Emulator;
  readonly events: CoreEvent[] = [];
  readonly token: string;
  readonly guildId: string;
  readonly botId: string;

  private constructor(clock: VirtualClock, emulator: Emulator) {
    this.clock = clock;
    this.emulator = emulator;
    const { token, guildId, botUserId } = emulator.credentials();
    this.token = token;
    this.guildId = guildId;
    this.botId = botUserId;
    emulator.events.subscribe((event) => this.events.push(event));
  }

  static async open(
    limits: LimitMode = 'off',
    disk: Disk = new MemoryDisk(),
    more: Partial<EmulatorOptions> = {},
    clock: VirtualClock = new VirtualClock(),
  ): Promise<Fixture> {
    const env = { clock, random: seededRandom(1), log: silentLog };
    return new Fixture(clock, await Emulator.open({ env, disk, limits, publicUrl: 'http://cdn.test', ...more }));
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    token: string = this.token,
  ): Promise<Answer> {
    const bytes =
      body === undefined ? new Uint8Array() : body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const reply = await this.emulator.handle({
      method,
      path: /^\/(_emulator|media|attachments\/\d|api)/.test(path) ? path : `/api/v10${path}`,
      headers: {
        authorization: `Bot ${token}`,
        'user-agent': 'DiscordBot (test, 1)',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: bytes,
    });
    const isJson = reply.headers['content-type'] === 'application/json';
    const json: unknown = isJson ? JSON.parse(Buffer.from(reply.body).toString()) : {};
    const { status, headers: shown } = reply;
    return { status, headers: shown, body: json as Shown, list: json as Shown[], bytes: reply.body };
  }

  get = (path: string, token?: string) => this.request('GET', path, undefined, {}, token);
  post = (path: string, body: unknown = {}, token?: string) => this.request('POST', path, body, {}, token);
  put = (path: string, body: unknown = {}, token?: string) => this.request('PUT', path, body, {}, token);
  patch = (path: string, body: unknown = {}, token?: string) => this.request('PATCH', path, body, {}, token);
  delete = (path: string, token?: string) => this.request('DELETE', path, undefined, {}, token);

  async channel(fields: object = {}): Promise<string> {
    const { status, body } = await this.post(`/guilds/${this.guildId}/channels`, { name: 'log', ...fields });
    if (status !== 201) throw new Error(`no channel: ${JSON.stringify(body)}`);
    return body.id;
  }

  async message(channelId: string, content = 'hello', more: object = {}): Promise<string> {
    const { status, body } = await this.post(`/channels/${channelId}/messages`, { content, ...more });
    if (status !== 200) throw new Error(`no message: ${JSON.stringify(body)}`);
    return body.id;
  }

  upload(channelId: string, payload: object, files: readonly TestFile[]): Promise<Answer> {
    const { bytes, contentType } = multipart(payload, files);
    return this.request('POST', `/channels/${channelId}/messages`, bytes, { 'content-type': contentType });
  }
}

export interface TestFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type?: string;
}

export function multipart(payload: object, files: readonly TestFile[]): { bytes: Uint8Array; contentType: string } {
  const boundary = 'test-boundary';
  const parts = [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="payload_json"\r\ncontent-type: application/json\r\n\r\n${JSON.stringify(payload)}\r\n`,
    ),
    ...files.flatMap(({ name, bytes, type = 'application/octet-stream' }, at) => [
      Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="files[${at}]"; filename="${name}"\r\ncontent-type: ${type}\r\n\r\n`,
      ),
      bytes,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ];
  return { bytes: Buffer.concat(parts), contentType: `multipart/form-data; boundary=${boundary}` };
}
