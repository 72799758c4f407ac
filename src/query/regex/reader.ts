import type { CodedError } from '../../base/index.ts';
import { located, notImplemented } from '../error.ts';

/** What PCRE says of a pattern that it cannot compile. */
export function refused(reason: string): CodedError {
  return located(51091, `Regular expression is invalid: ${reason}`);
}

/** What PCRE can and JavaScript cannot. */
export function unsupported(what: string): CodedError {
  return notImplemented(`Regular expressions with ${what} are not supported by DiscoDB`);
}

export interface Repetition {
  readonly min: number;
  /** Undefined: without end. */
  readonly max: number | undefined;
}

/** A pattern, read from left to right. */
export class Reader {
  readonly #pattern: string;
  #at = 0;

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get done(): boolean {
    return this.#at >= this.#pattern.length;
  }

  /** The next code unit; empty at the end. */
  get next(): string {
    return this.#pattern[this.#at] ?? '';
  }

  startsWith(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  accept(text: string): boolean {
    const found = this.startsWith(text);
    if (found) this.#at += text.length;
    return found;
  }

  /** Gives back what was read last. */
  back(length: number): void {
    this.#at -= length;
  }

  /** One code point. */
  char(): string {
    const char = String.fromCodePoint(this.#pattern.codePointAt(this.#at)!);
    this.#at += char.length;
    return char;
  }

  /** What the expression, which is sticky, finds right here. */
  take(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#pattern);
    if (found) this.#at += found[0].length;
    return found ?? undefined;
  }

  /** `*`, `+`, `?` or `{n,m}`. Braces of any other form are letters. */
  quantifier(): Repetition | undefined {
    const found = this.take(/[*+?]|\{(\d+)(?:,(\d*))?\}/y);
    if (!found) return undefined;
    if (found[0] === '*') return { min: 0, max: undefined };
    if (found[0] === '+') return { min: 1, max: undefined };
    if (found[0] === '?') return { min: 0, max: 1 };
    const min = Number(found[1]);
    return { min, max: found[2] === undefined ? min : found[2] === '' ? undefined : Number(found[2]) };
  }

  /** How many groups of the whole pattern capture, about: it tells back references from octal numbers. */
  countGroups(): number {
    const bare = this.#pattern.replace(/\\Q[\s\S]*?(?:\\E|$)|\\[\s\S]|\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]?/g, '');
    return bare.match(/\((?!\?|\*)|\(\?P?<(?![=!])|\(\?'/g)?.length ?? 0;
  }
}
