import type { Rest } from './rest.ts';

/** One bot with its own token, and with that its own counters at Discord. */
export class Bot {
  readonly rest: Rest;
  readonly userId: string;
  readonly applicationId: string;
  readonly #token: string;

  constructor(token: string, rest: Rest, identity: { readonly userId: string; readonly applicationId: string }) {
    this.#token = token;
    this.rest = rest;
    this.userId = identity.userId;
    this.applicationId = identity.applicationId;
  }

  /** For the gateway, which has no header to put it in. */
  get token(): string {
    return this.#token;
  }
}
