import { type LiveSet, type LiveSetDigest, oneDifference } from './live-set.ts';
import type { LogProblem } from './types.ts';

/** Holes remembered one by one; older ones are counted. */
const GAPS_MAX = 1000;
/** Holes named in a problem's text. */
const GAPS_NAMED = 20;

/**
 * The sequences that are missing in a channel. Most are records that were superseded and removed. Whether a live one
 * is among them, the newest header tells: it holds the digest of the records that must be there.
 */
export class Gaps {
  readonly #holes: { from: number; to: number }[] = [];
  #more = 0;
  #lowest: number | undefined;

  /** Takes the sequences of the records that are there, falling. */
  note(seq: number): void {
    if (this.#lowest !== undefined && seq < this.#lowest - 1) this.#add(seq + 1, this.#lowest - 1);
    this.#lowest = seq;
  }

  /** Compares what the newest header told with what was found, when all is read. */
  check(told: LiveSetDigest, found: LiveSet, newest: number): LogProblem | undefined {
    if (told.count === found.count && told.digest === found.digest) return undefined;
    if (this.#lowest !== undefined && this.#lowest > 1) this.#add(1, this.#lowest - 1);
    this.#lowest = undefined;
    const seq = oneDifference(told, found, newest);
    const missing = told.count - found.count;
    if (seq !== undefined) {
      const text =
        missing > 0
          ? `record ${seq} held live documents and is missing`
          : `record ${seq} holds documents that had been superseded or deleted, and what did so is missing`;
      return { kind: 'live-set', messageId: undefined, fromSeq: seq, toSeq: seq, text };
    }
    return this.#describe(told.count, found.count, newest);
  }

  #describe(told: number, found: number, newest: number): LogProblem {
    const named = this.#holes
      .slice(0, GAPS_NAMED)
      .map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
    const left = this.#holes.length + this.#more - named.length;
    const where = named.length > 0 ? named.join(', ') + (left > 0 ? ` and ${left} older gaps` : '') : 'none';
    const text = `the log tells of ${told} records with live documents and ${found} were found; missing sequences: ${where}`;
    const fromSeq = this.#more > 0 ? 1 : (this.#holes.at(-1)?.from ?? 1);
    return { kind: 'live-set', messageId: undefined, fromSeq, toSeq: this.#holes[0]?.to ?? newest, text };
  }

  #add(from: number, to: number): void {
    if (this.#holes.length < GAPS_MAX) this.#holes.push({ from, to });
    else this.#more++;
  }
}
