import { type Clock, CodedError, type Timer } from '../base/index.ts';
import type { Doc } from '../bson/index.ts';
import type { SessionKey } from './sessions.ts';

/** One request under way. Its signal ends it early: the time limit, killOp, a client that left. */
export class Operation {
  readonly id: number;
  readonly command: string;
  readonly db: string;
  readonly body: Doc;
  readonly connectionId: number;
  readonly client: string;
  readonly session: SessionKey | undefined;
  /** `clock.now()` and `clock.monotonic()` when it began. */
  readonly startedAt: number;
  readonly started: number;
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  #timer: Timer | undefined;

  constructor(id: number, about: OperationInfo, clock: Clock) {
    this.id = id;
    this.command = about.command;
    this.db = about.db;
    this.body = about.body;
    this.connectionId = about.connectionId;
    this.client = about.client;
    this.session = about.session;
    this.startedAt = clock.now();
    this.started = clock.monotonic();
    this.#clock = clock;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get killed(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return this.#clock.monotonic() - this.started;
  }

  /** Limits the time left; the last call counts. */
  expireIn(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(ms, () =>
      this.kill(new CodedError('MaxTimeMSExpired', 'operation exceeded time limit')),
    );
  }

  kill(reason: CodedError): void {
    this.#controller.abort(reason);
  }

  finish(): void {
    this.#timer?.cancel();
  }
}

export interface OperationInfo {
  readonly command: string;
  readonly db: string;
  readonly body: Doc;
  readonly connectionId: number;
  /** `host:port`. */
  readonly client: string;
  readonly session: SessionKey | undefined;
}

/** What runs now, for currentOp and killOp. */
export class OperationRegistry {
  readonly #clock: Clock;
  readonly #running = new Map<number, Operation>();
  readonly #counts = new Map<string, number>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(about: OperationInfo): Operation {
    const operation = new Operation(++this.#lastId, about, this.#clock);
    this.#running.set(operation.id, operation);
    this.#counts.set(about.command, (this.#counts.get(about.command) ?? 0) + 1);
    return operation;
  }

  end(operation: Operation): void {
    operation.finish();
    this.#running.delete(operation.id);
  }

  running(): readonly Operation[] {
    return [...this.#running.values()];
  }

  /** How often a command was begun. */
  count(command: string): number {
    return this.#counts.get(command) ?? 0;
  }

  /** True when there was such an operation. */
  kill(id: number): boolean {
    const operation = this.#running.get(id);
    operation?.kill(new CodedError('Interrupted', 'operation was interrupted'));
    return operation !== undefined;
  }

  killSession(session: SessionKey, except: Operation): void {
    for (const operation of this.#running.values()) {
      if (operation.session === session && operation !== except) this.kill(operation.id);
    }
  }
}
