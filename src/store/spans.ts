import type { MessageId } from './port.ts';

/** From the first id to the last, both included. */
export interface Span {
  readonly from: MessageId;
  readonly to: MessageId;
}

/** Parts of a channel, in order; what touches is one span. */
export class Spans {
  #spans: Span[] = [];

  add({ from, to }: Span): void {
    if (to < from) return;
    const apart = (span: Span) => span.to + 1n < from || to + 1n < span.from;
    const joined = this.#spans.filter((span) => !apart(span));
    const low = joined.reduce((lowest, span) => (span.from < lowest ? span.from : lowest), from);
    const high = joined.reduce((highest, span) => (span.to > highest ? span.to : highest), to);
    this.#spans = [...this.#spans.filter(apart), { from: low, to: high }].sort((a, b) => (a.from < b.from ? -1 : 1));
  }

  /** The span that `id` lies in. */
  at(id: MessageId): Span | undefined {
    return this.#spans.find(({ from, to }) => from <= id && id <= to);
  }

  covers({ from, to }: Span): boolean {
    const span = this.at(from);
    return span !== undefined && to <= span.to;
  }

  /** The highest id of all spans. */
  get top(): MessageId | undefined {
    return this.#spans.at(-1)?.to;
  }

  [Symbol.iterator](): Iterator<Span> {
    return this.#spans[Symbol.iterator]();
  }
}
