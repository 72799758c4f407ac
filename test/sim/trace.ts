import { createHash } from 'node:crypto';
import type { Transport } from '../../src/discord/index.ts';
import type { Stage } from '../support/stage.ts';
import type { Write } from './history.ts';

/** Everything that processes asked of Discord, when, and what it said: two runs of a seed have the same. */
export class Trace {
  readonly #stage: Stage;
  readonly #hash = createHash('sha256');
  /** Requests by method and path, ids left out. */
  readonly requests: Record<string, number> = {};

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  along(direct: Transport): Transport {
    return async (request, signal) => {
      const { method, url, body = [] } = request;
      this.#note(`${method} ${url}`);
      for (const chunk of body) this.#hash.update(chunk);
      const { pathname } = new URL(url);
      const route = `${method} ${pathname
        .replace(/^\/api\/v\d+/, '')
        .replace(/\/\d{15,}/g, '/:id')
        .replace(/(\/attachments)\/.*/, '$1')}`;
      this.requests[route] = (this.requests[route] ?? 0) + 1;
      const reply = await direct(request, signal);
      this.#note(`${reply.status} ${url}`);
      this.#hash.update(reply.body);
      return reply;
    };
  }

  history(writes: Iterable<Write>): void {
    for (const { tag, invoke, complete, status, process } of writes)
      this.#hash.update(`${tag} ${invoke} ${complete} ${status} ${process}\n`);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  #note(text: string): void {
    this.#hash.update(`${this.#stage.clock.now()} ${text}\n`);
  }
}
