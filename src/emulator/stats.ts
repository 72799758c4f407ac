import type { JsonObject } from './types.ts';

/** What has been asked of the emulator, in whole requests: exact, so that a test may hold a budget against it. */
export class Stats {
  readonly #requests = new Map<string, number>();
  #total = 0;
  #limited = 0;
  #cdn = 0;

  /** `route` is a method and a path whose ids read `:id`: `POST /channels/:id/messages`. */
  countRequest(route: string): void {
    this.#total++;
    this.#requests.set(route, (this.#requests.get(route) ?? 0) + 1);
  }

  countLimited(): void {
    this.#limited++;
  }

  countCdn(): void {
    this.#cdn++;
  }

  reset(): void {
    this.#requests.clear();
    this.#total = 0;
    this.#limited = 0;
    this.#cdn = 0;
  }

  toJSON(): JsonObject {
    const requests = Object.fromEntries([...this.#requests].sort(([a], [b]) => (a < b ? -1 : 1)));
    return { requests, total: this.#total, limited: this.#limited, cdn: this.#cdn };
  }
}
