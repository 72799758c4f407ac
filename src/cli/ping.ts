import { connect } from 'node:net';
import { Command } from 'commander';
import { decode, doc, encode } from '../bson/index.ts';
import { option, parsePort } from './options.ts';

const OP_MSG = 2013;
const HEADER_BYTES = 16;
/** Flag bits and the kind of the first section. */
const PREFIX_BYTES = 5;
const TIMEOUT_MS = 4000;

export function pingCommand(): Command {
  return new Command('ping')
    .description('Ask a running server for a sign of life; exit status 0 when it answers.')
    .addOption(option('--host <address>', 'address of the server').default('127.0.0.1'))
    .addOption(option('--port <number>', 'its port').argParser(parsePort).default(27017))
    .action(async ({ host, port }: { host: string; port: number }) => {
      // What a server listens on when it listens everywhere is not an address to dial.
      const reason = await ping(host === '0.0.0.0' || host === '::' ? 'localhost' : host, port);
      if (reason) process.stderr.write(`discodb: ${host}:${port} ${reason}\n`);
      process.exit(reason ? 1 : 0);
    });
}

/** Sends one `ping` over OP_MSG. Resolves to what is wrong, or undefined. */
function ping(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port }, () => socket.write(message()));
    socket.setTimeout(TIMEOUT_MS, () => resolve('does not answer'));
    socket.on('error', (error) => resolve(`cannot be reached: ${error.message}`));
    socket.on('close', () => resolve('closed the connection'));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < HEADER_BYTES || received.length < received.readInt32LE(0)) return;
      const reply = decode(received.subarray(HEADER_BYTES + PREFIX_BYTES, received.readInt32LE(0)));
      resolve(Number(reply.get('ok')) === 1 ? undefined : `answers ${String(reply.get('errmsg'))}`);
    });
  });
}

function message(): Buffer {
  const body = encode(doc({ ping: 1, $db: 'admin' }));
  const head = Buffer.alloc(HEADER_BYTES + PREFIX_BYTES);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(1, 4);
  head.writeInt32LE(OP_MSG, 12);
  return Buffer.concat([head, body]);
}
