import { MongoClient } from 'mongodb';
import { figure, markdownTable } from '../table.ts';
import { DB, OPERATIONS, type Operation, prepare } from './operations.ts';
import { topFunctions } from './profile.ts';
import { RawClient } from './raw-client.ts';
import { ServerProcess } from './server.ts';

export interface TcpBench {
  /** Only operations whose name has this text. */
  readonly only: string;
  /** Print where the server's time goes, too. */
  readonly profile: boolean;
}

const CONNECTIONS = [1, 16, 64];
const WARM_UP_MS = 300;
const MEASURED_MS = 1200;
const TOP_FUNCTIONS = 25;
const HEAD = ['operation', 'connections', 'driver ops/s', 'raw ops/s', 'raw documents/s', 'server RSS MiB'];

/** Real time: load from this process on a server in another, over TCP. */
export async function benchTcp({ only, profile }: TcpBench): Promise<void> {
  const server = await ServerProcess.start(profile);
  const rows: string[][] = [];
  try {
    for (const operation of OPERATIONS.filter(({ name }) => name.includes(only))) {
      for (const connections of CONNECTIONS) rows.push(await measured(server.uri, operation, connections));
    }
  } finally {
    const text = await server.stop();
    console.log(markdownTable(HEAD, rows));
    if (text) console.log(`\n${topFunctions(text, TOP_FUNCTIONS)}`);
  }
}

async function measured(uri: string, operation: Operation, connections: number): Promise<string[]> {
  const driver = new MongoClient(uri, { minPoolSize: connections, maxPoolSize: connections });
  const db = driver.db(DB);
  try {
    await prepare(db);
    const byDriver = await rate(connections, (_, id) => operation.driver(db, id));
    await prepare(db);
    const clients = await Promise.all(Array.from({ length: connections }, () => RawClient.connect(uri)));
    const byRaw = await rate(connections, (client, id) => operation.raw(clients[client]!, id));
    for (const client of clients) client.close();
    const { mem } = await db.admin().serverStatus();
    return [
      operation.name,
      String(connections),
      figure(byDriver),
      figure(byRaw),
      figure(byRaw * operation.documents),
      figure(mem.resident),
    ];
  } finally {
    await driver.close();
  }
}

/** Turns a second of clients that each ask, wait for the answer, and ask again. */
async function rate(clients: number, turn: (client: number, id: number) => Promise<unknown>): Promise<number> {
  let id = 0;
  let count = 0;
  const start = performance.now() + WARM_UP_MS;
  const end = start + MEASURED_MS;
  const client = async (number: number) => {
    while (performance.now() < end) {
      await turn(number, id++);
      if (performance.now() >= start) count++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return count / ((performance.now() - start) / 1000);
}
