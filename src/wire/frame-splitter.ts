import { HEADER_SIZE, messageLength } from './header.ts';

/**
 * Cuts a TCP stream into messages, wherever TCP cut it. A message that lies in one chunk is a view on it. One that
 * straddles chunks is gathered in a buffer that doubles as bytes arrive: each byte is copied at most twice on average,
 * and a client that only promises 48 MB makes nobody hold 48 MB.
 */
export class FrameSplitter {
  /** Received and unread, oldest first; `#at` is the place in the first. */
  readonly #chunks: Uint8Array[] = [];
  #at = 0;
  /** The message that began in an earlier chunk: its first `#have` bytes. */
  #gathered: Uint8Array = new Uint8Array(HEADER_SIZE);
  #have = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length > 0) this.#chunks.push(chunk);
  }

  /** The next whole message, or undefined until more is pushed. Throws a fatal WireError on what cannot be one. */
  next(): Uint8Array | undefined {
    for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
      const frame = (this.#have === 0 && this.#whole(chunk)) || this.#gather(chunk);
      if (frame) return frame;
    }
    return undefined;
  }

  #whole(chunk: Uint8Array): Uint8Array | undefined {
    const rest = chunk.length - this.#at;
    if (rest < HEADER_SIZE) return undefined;
    const length = messageLength(chunk, this.#at);
    if (rest < length) return undefined;
    const frame = chunk.subarray(this.#at, this.#at + length);
    this.#advance(chunk, length);
    return frame;
  }

  /** First the header, which says how long the message is, then the rest. */
  #gather(chunk: Uint8Array): Uint8Array | undefined {
    const goal = this.#have < HEADER_SIZE ? HEADER_SIZE : messageLength(this.#gathered, 0);
    const count = Math.min(goal - this.#have, chunk.length - this.#at);
    this.#grow(this.#have + count, goal);
    this.#gathered.set(chunk.subarray(this.#at, this.#at + count), this.#have);
    this.#have += count;
    this.#advance(chunk, count);
    if (this.#have < HEADER_SIZE || this.#have < messageLength(this.#gathered, 0)) return undefined;
    const frame = this.#gathered.subarray(0, this.#have);
    this.#gathered = new Uint8Array(HEADER_SIZE);
    this.#have = 0;
    return frame;
  }

  #grow(needed: number, length: number): void {
    const capacity = this.#gathered.length;
    if (needed <= capacity) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(length, Math.max(needed, 2 * capacity)));
    grown.set(this.#gathered.subarray(0, this.#have));
    this.#gathered = grown;
  }

  #advance(chunk: Uint8Array, count: number): void {
    this.#at += count;
    if (this.#at < chunk.length) return;
    this.#chunks.shift();
    this.#at = 0;
  }
}
