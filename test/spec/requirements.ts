import type { Db, Document } from '../support/driver.ts';
import type { Requirement } from './types.ts';

/** What the server under test is, in the words of `runOnRequirements`. */
export interface ServerFacts {
  readonly version: string;
  readonly parameters: Document;
}

export async function serverFacts(admin: Db): Promise<ServerFacts> {
  const { version } = await admin.command({ buildInfo: 1 });
  return { version, parameters: await admin.command({ getParameter: '*' }) };
}

/** DiscoDB shows itself as a mongos, without authentication and without client-side encryption. */
export function meets(facts: ServerFacts, requirements: readonly Requirement[] | undefined): boolean {
  return requirements === undefined || requirements.some((each) => meetsOne(facts, each));
}

function meetsOne({ version, parameters }: ServerFacts, requirement: Requirement): boolean {
  const {
    minServerVersion,
    maxServerVersion,
    topologies,
    serverless,
    auth,
    csfle,
    serverParameters = {},
  } = requirement;
  if (minServerVersion !== undefined && compareVersions(version, minServerVersion) < 0) return false;
  if (maxServerVersion !== undefined && compareVersions(version, maxServerVersion) > 0) return false;
  if (topologies && !topologies.some((each) => each === 'sharded' || each === 'sharded-replicaset')) return false;
  if (serverless === 'require' || auth === true || (csfle !== undefined && csfle !== false)) return false;
  return Object.entries(serverParameters).every(([name, value]) => parameters[name] === value);
}

/** As many parts count as the wanted version has: 8.0.4 is not above a maximum of 8.0. */
function compareVersions(actual: string, wanted: string): number {
  const parts = actual.split(/[.-]/).map(Number);
  for (const [at, part] of wanted.split('.').map(Number).entries()) {
    const difference = (parts[at] ?? 0) - part;
    if (difference !== 0) return difference;
  }
  return 0;
}
