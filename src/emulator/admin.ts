import { readJson } from './body.ts';
import { ApiError, bareError } from './errors.ts';
import { type Faults, readFaults } from './faults.ts';
import { Form } from './form.ts';
import type { Landlord } from './landlord.ts';
import type { Limiter } from './limiter.ts';
import type { Stats } from './stats.ts';
import type { ApiReply, ApiRequest, Json } from './types.ts';

const ROOT = '/_emulator/';

export interface AdminParts {
  readonly limiter: Limiter;
  readonly faults: Faults;
  readonly stats: Stats;
  readonly landlord: Landlord;
}

/** `/_emulator/*`: what no Discord has. Other parts are asked first, so an unknown path is a 404. */
export class Admin {
  readonly #parts: AdminParts;

  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  async handle(request: ApiRequest): Promise<ApiReply | undefined> {
    const path = request.path.split('?', 1)[0]!;
    if (!path.startsWith(ROOT)) return undefined;
    try {
      return reply(200, await this.#answer(request, path.slice(ROOT.length)));
    } catch (error) {
      if (error instanceof ApiError) return reply(error.status, error.body);
      throw error;
    }
  }

  async #answer(request: ApiRequest, name: string): Promise<Json> {
    const { limiter, faults, stats } = this.#parts;
    switch (`${request.method} ${name}`) {
      case 'GET stats':
        return stats.toJSON();
      case 'DELETE stats':
        stats.reset();
        return stats.toJSON();
      case 'GET limits':
        return { mode: limiter.mode };
      case 'PUT limits':
        limiter.mode = readMode(new Form(body(request)));
        return { mode: limiter.mode };
      case 'GET faults':
        return faults.toJSON();
      case 'PUT faults':
        faults.set(readFaults(body(request)));
        return faults.toJSON();
      case 'POST bots':
        return this.#addBot(new Form(body(request)));
      case 'PATCH bots':
        return this.#changeBot(new Form(body(request)));
      default:
        throw bareError(404);
    }
  }

  /** `{username?, guild_ids?, permissions?, message_content?}`; the answer has the token. */
  async #addBot(form: Form): Promise<Json> {
    const username = form.string('username', { min: 1, max: 80 });
    const guildIds = form.snowflakes('guild_ids');
    const permissions = form.bits('permissions');
    const messageContent = form.boolean('message_content');
    form.check();
    const bot = await this.#parts.landlord.addBot({
      ...(username === undefined ? {} : { username }),
      ...(guildIds === undefined ? {} : { guildIds }),
      ...(permissions === undefined ? {} : { permissions }),
      ...(messageContent === undefined ? {} : { messageContent }),
    });
    return { id: bot.userId, application_id: bot.applicationId, username: bot.username, token: bot.token };
  }

  /** `{id, message_content?, guild_id? with permissions?}`. */
  async #changeBot(form: Form): Promise<Json> {
    form.required('id');
    const id = form.snowflake('id') ?? '';
    const guildId = form.snowflake('guild_id');
    const permissions = form.bits('permissions');
    const messageContent = form.boolean('message_content');
    form.check();
    if (messageContent !== undefined) await this.#parts.landlord.setMessageContent(id, messageContent);
    if (guildId !== undefined && permissions !== undefined) {
      await this.#parts.landlord.setPermissions(id, guildId, permissions);
    }
    return { id };
  }
}

function readMode(form: Form): 'discord' | 'off' {
  form.required('mode');
  const mode = form.string('mode');
  if (mode !== 'discord' && mode !== 'off')
    form.fail('mode', 'BASE_TYPE_CHOICES', 'Value must be one of (discord, off).');
  form.check();
  return mode === 'discord' ? 'discord' : 'off';
}

/** A body is JSON whatever its type says: `curl -d` is enough. */
function body(request: ApiRequest): unknown {
  return readJson('application/json', request.body);
}

function reply(status: number, json: Json): ApiReply {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(json)) };
}
