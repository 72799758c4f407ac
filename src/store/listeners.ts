import type { StoreEvent, StoreListener } from './port.ts';

/** Those who watch a store. */
export class Listeners {
  readonly #listeners = new Set<StoreListener>();

  /** Each call is a subscription of its own, also of the same function. */
  add(listener: StoreListener): () => void {
    const own: StoreListener = (event) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(event: StoreEvent): void {
    for (const listener of [...this.#listeners]) if (this.#listeners.has(listener)) listener(event);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
