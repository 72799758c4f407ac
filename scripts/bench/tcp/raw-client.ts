import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { BSON } from 'mongodb';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/** Header, flags and the kind of the first section. */
const BODY_AT = HEADER_BYTES + 5;

/** One connection that speaks OP_MSG and does no more than it must: for when the driver is slower than the server. */
export class RawClient {
  readonly #socket: Socket;
  readonly #lsid = { id: new BSON.Binary(randomBytes(16), BSON.Binary.SUBTYPE_UUID) };
  #txnNumber = 0;
  #received: Buffer[] = [];
  #size = 0;
  #answer: ((reply: Buffer) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#take(chunk));
  }

  static async connect(uri: string): Promise<RawClient> {
    const { hostname, port } = new URL(uri);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Runs a command; throws unless it succeeded. With `documents`, they follow as a sequence of that name. */
  async run(command: object, writes: boolean, sequence?: { name: string; documents: Buffer }): Promise<Buffer> {
    const txnNumber = writes ? { txnNumber: BSON.Long.fromNumber(++this.#txnNumber) } : {};
    const body = BSON.serialize({ ...command, lsid: this.#lsid, ...txnNumber });
    const head = Buffer.alloc(BODY_AT);
    const pieces: Uint8Array[] = [head, body];
    if (sequence) {
      const name = Buffer.from(`${sequence.name}\0`);
      const start = Buffer.alloc(5);
      start[0] = 1;
      start.writeInt32LE(4 + name.length + sequence.documents.length, 1);
      pieces.push(start, name, sequence.documents);
    }
    head.writeInt32LE(
      pieces.reduce((sum, { length }) => sum + length, 0),
      0,
    );
    head.writeInt32LE(OP_MSG, 12);
    const answered = new Promise<Buffer>((resolve) => {
      this.#answer = resolve;
    });
    this.#socket.write(Buffer.concat(pieces));
    const reply = await answered;
    // The server's replies end in ok, $clusterTime and operationTime: an error shows by its code.
    if (reply.includes('errmsg\0')) throw new Error(JSON.stringify(BSON.deserialize(reply.subarray(BODY_AT))));
    return reply;
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#size += chunk.length;
    const first = this.#received[0]!;
    if (this.#size < 4 || this.#size < first.readInt32LE(0)) return;
    const reply = Buffer.concat(this.#received);
    this.#received = [];
    this.#size = 0;
    this.#answer?.(reply);
  }
}
