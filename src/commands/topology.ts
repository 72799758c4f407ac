import { type Clock, CodedError, sleep } from '../base/index.ts';
import type { Doc, ObjectId, Value } from '../bson/index.ts';

/** A topology version, as hello gives it and awaits it. */
export interface TopologyVersion {
  readonly processId: ObjectId;
  readonly counter: bigint;
}

/** What hello says of the deployment, and who waits for it to change. It changes once: when the server stops. */
export class Topology {
  readonly #clock: Clock;
  readonly #processId: ObjectId;
  readonly #stopping = new AbortController();
  #counter = 0n;

  constructor(clock: Clock, processId: ObjectId) {
    this.#clock = clock;
    this.#processId = processId;
  }

  get version(): Doc {
    return new Map<string, Value>([
      ['processId', this.#processId],
      ['counter', this.#counter],
    ]);
  }

  isCurrent(version: TopologyVersion): boolean {
    return version.processId.equals(this.#processId) && version.counter === this.#counter;
  }

  /** Resolves after `ms`, or at once when `known` is not current. Rejects when the server stops or the signal aborts. */
  async changeFrom(known: TopologyVersion, ms: number, signal: AbortSignal): Promise<void> {
    if (known.processId.equals(this.#processId) && known.counter > this.#counter) {
      throw new CodedError(
        'Location51761',
        `Received a topology version with counter: ${known.counter} which is greater than the server topology version counter: ${this.#counter}`,
      );
    }
    if (!this.isCurrent(known)) return;
    await sleep(this.#clock, ms, AbortSignal.any([signal, this.#stopping.signal]));
  }

  /** From here on hello refuses, with the version that tells clients to look elsewhere. */
  stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#counter++;
    this.#stopping.abort(this.stopError());
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  stopError(): CodedError {
    return new CodedError('ShutdownInProgress', 'DiscoDB is shutting down', [['topologyVersion', this.version]]);
  }
}
