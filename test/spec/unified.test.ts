import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { KNOWN, LACKING } from './known.ts';
import { type LoadedFile, loadFolder, OWN, specificationFolder } from './load.ts';
import { meets, type ServerFacts, serverFacts } from './requirements.ts';
import { runUnified } from './run.ts';
import { Unrunnable } from './types.ts';

/**
 * The unified test format of MongoDB's drivers, against this server: a few files of our own, which also show that the
 * runner works, and the public ones where there is a folder with them.
 */
let server: TestServer;
let client: MongoClient;
let facts: ServerFacts;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
  facts = await serverFacts(client.db('admin'));
});
afterAll(() => server?.close());

const folder = specificationFolder();
const publicFiles = loadFolder(folder);
if (publicFiles.length === 0) console.log(`No specification tests in ${folder}: only our own files are run.`);

const OWNED = new Set(['admin', 'config', 'local']);

/** What came of the tests of a file, by their names. */
interface Outcome {
  readonly passed: string[];
  readonly failed: Map<string, string>;
  /** Of another server version or topology, or in need of what no runner can do here: said, and not counted as passed. */
  readonly inapplicable: Map<string, string>;
}

async function runFile({ path, file }: LoadedFile): Promise<Outcome> {
  const outcome: Outcome = { passed: [], failed: new Map(), inapplicable: new Map() };
  for (const each of file.tests) {
    const name = `${path}: ${each.description}`;
    if (!meets(facts, file.runOnRequirements) || !meets(facts, each.runOnRequirements)) {
      outcome.inapplicable.set(name, 'is for another server');
    } else if (each.skipReason !== undefined) {
      outcome.inapplicable.set(name, each.skipReason);
    } else {
      await runUnified(server.uri, client, file, each).then(
        () => outcome.passed.push(name),
        (error: Error) => {
          const lacking = [...LACKING].find(([pattern]) => pattern.test(error.message));
          if (error instanceof Unrunnable) outcome.inapplicable.set(name, error.message);
          else if (lacking) outcome.inapplicable.set(name, `DIFFERENCES ${lacking[1]}: ${error.message}`);
          else outcome.failed.set(name, error.message);
        },
      );
    }
  }
  // Each database takes a category, and Discord has 50 of them.
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  for (const { name } of databases) if (!OWNED.has(name)) await client.db(name).dropDatabase();
  return outcome;
}

describe('our own files', () => {
  test.each(loadFolder(OWN))('$path', async (loaded) => {
    const { passed, failed, inapplicable } = await runFile(loaded);
    expect(Object.fromEntries(failed)).toEqual({});
    expect(Object.fromEntries(inapplicable)).toEqual({});
    expect(passed).toHaveLength(loaded.file.tests.length);
  });
});

describe.runIf(publicFiles.length > 0)(`the files in ${folder}`, () => {
  test.each(publicFiles)('$path', async (loaded) => {
    const { passed, failed, inapplicable } = await runFile(loaded);
    const known = (name: string) => [...KNOWN].find(([pattern]) => pattern.test(name))?.[1];
    for (const [name, reason] of inapplicable) console.log(`not run: ${name}: ${reason}`);
    for (const name of failed.keys()) if (known(name)) console.log(`known to fail: ${name}: ${known(name)}`);
    expect(Object.fromEntries([...failed].filter(([name]) => !known(name)))).toEqual({});
    expect(passed.filter(known)).toEqual([]);
  });
});
