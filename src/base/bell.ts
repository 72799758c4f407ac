import { type Deferred, deferred } from './deferred.ts';

/** Wakes everybody who waits for something to happen. */
export class Bell {
  #rings = 0;
  #next: Deferred<void> | undefined;

  /** How often it has rung: whoever looked at that moment has missed nothing. */
  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings++;
    this.#next?.resolve();
    this.#next = undefined;
  }

  /** Resolves once it has rung more than `rings` times. */
  after(rings: number): Promise<void> {
    if (this.#rings > rings) return Promise.resolve();
    this.#next ??= deferred<void>();
    return this.#next.promise;
  }
}
