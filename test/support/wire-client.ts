import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Answer, readAnswer } from './wire-messages.ts';

/** A client that sends bytes as a test wants them, and reads replies one by one. */
export class WireClient {
  readonly socket: Socket;
  /** Set once the server has ended its side or the connection broke. */
  ended = false;
  #received: Buffer[] = [];
  #size = 0;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received.push(chunk);
      this.#size += chunk.length;
      this.#wake?.();
    });
    const end = () => {
      this.ended = true;
      this.#wake?.();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async connect(address: string): Promise<WireClient> {
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(address.slice(colon + 1)), allowHalfOpen: true, noDelay: true });
    await once(socket, 'connect');
    return new WireClient(socket);
  }

  send(...messages: readonly Uint8Array[]): void {
    for (const message of messages) this.socket.write(message);
  }

  /** The next reply's bytes. Throws when the server hangs up first. */
  async nextWhole(): Promise<Buffer> {
    const length = (await this.#atLeast(4)).readInt32LE();
    const known = await this.#atLeast(length);
    this.#received = [known.subarray(length)];
    this.#size -= length;
    return known.subarray(0, length);
  }

  async #atLeast(count: number): Promise<Buffer> {
    while (this.#size < count) {
      if (this.ended) throw new Error('the server hung up');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const known = Buffer.concat(this.#received);
    this.#received = [known];
    return known;
  }

  async next(): Promise<Answer> {
    return readAnswer(await this.nextWhole());
  }

  /** Resolves when the server hangs up; with all the bytes that came and were not read. */
  async end(): Promise<Buffer> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return Buffer.concat(this.#received);
  }

  destroy(): void {
    this.socket.destroy();
  }
}
