/** How often queries went by the indexes of a collection. */
export class IndexUses {
  readonly #counts = new Map<string, number>();

  count(index: string): void {
    this.#counts.set(index, this.of(index) + 1);
  }

  of(index: string): number {
    return this.#counts.get(index) ?? 0;
  }

  /** An index of this name is made anew. */
  forget(index: string): void {
    this.#counts.delete(index);
  }
}
