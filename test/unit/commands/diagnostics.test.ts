import { describe, expect, it } from 'vitest';
import { Int32, toPlain } from '../../../src/bson/index.ts';
import { commands } from '../../../src/commands/table.ts';
import { at, failure, Harness } from './harness.ts';

const int = (value: number) => new Int32(value);

describe('what clients ask at their start', () => {
  it('buildInfo tells a version of MongoDB that is not an enterprise one', async () => {
    const reply = await new Harness().run({ buildInfo: 1 });
    expect(reply.get('version')).toMatch(/^8\.0\.\d+$/);
    expect((reply.get('versionArray') as unknown[]).length).toBe(4);
    expect(reply.get('gitVersion')).not.toMatch(/enterprise/);
    expect(reply.has('ferretdb') || reply.has('dataLake')).toBe(false);
    expect(toPlain(reply)).toMatchObject({ modules: [], bits: int(64), discodb: { version: '0.1.0' } });
  });

  it('getParameter answers one, all, or nothing', async () => {
    const harness = new Harness();
    const fcv = await harness.admin({ getParameter: 1, featureCompatibilityVersion: 1 });
    expect(at(fcv, 'featureCompatibilityVersion.version')).toBe('8.0');
    const all = await harness.admin({ getParameter: '*' });
    expect(toPlain(all)).toMatchObject({
      enableTestCommands: false,
      authenticationMechanisms: [],
      requireApiVersion: false,
    });
    expect(failure(await harness.admin({ getParameter: 'foo' }))[1]).toBe('InvalidOptions');
  });

  it('setParameter changes what can be changed', async () => {
    const harness = new Harness();
    expect(failure(await harness.admin({ setParameter: 1, quiet: true }))[1]).toBe('InvalidOptions');
    expect(failure(await harness.admin({ setParameter: 1, nothing: 1 }))[2]).toMatch(/unrecognized parameter/);
    expect(failure(await harness.admin({ setParameter: 1 }))[1]).toBe('InvalidOptions');
    expect(failure(await harness.admin({ setParameter: 1, cursorTimeoutMillis: 0 }))[1]).toBe('BadValue');
  });

  it('getLog is empty', async () => {
    const harness = new Harness();
    expect(toPlain(await harness.admin({ getLog: 'startupWarnings' }))).toMatchObject({
      totalLinesWritten: int(0),
      log: [],
    });
    expect((await harness.admin({ getLog: '*' })).get('names')).toContain('startupWarnings');
    expect(failure(await harness.admin({ getLog: 'x' }))[1]).toBe('OperationFailed');
  });

  it('connectionStatus, whatsmyuri and getCmdLineOpts', async () => {
    const harness = new Harness();
    const status = await harness.run({ connectionStatus: 1, showPrivileges: true });
    expect(toPlain(status.get('authInfo'))).toEqual({
      authenticatedUsers: [],
      authenticatedUserRoles: [],
      authenticatedUserPrivileges: [],
    });
    expect((await harness.run({ whatsmyuri: 1 })).get('you')).toBe('10.0.0.1:5000');
    expect((await harness.admin({ getCmdLineOpts: 1 })).get('argv')).toEqual(['discodb', 'serve']);
  });

  it('usersInfo and rolesInfo, as the shell asks for them', async () => {
    const harness = new Harness();
    expect((await harness.run({ usersInfo: 1 })).get('users')).toEqual([]);
    const roles = await harness.run({ rolesInfo: 1, showPrivileges: false, showBuiltinRoles: true });
    expect(roles.get('roles')).toEqual([]);
  });

  it('hostInfo and serverStatus have what Compass and mongostat read', async () => {
    const harness = new Harness();
    const host = await harness.run({ hostInfo: 1 });
    for (const path of ['system.cpuArch', 'system.memSizeMB', 'system.numCores', 'os.type', 'os.name', 'extra']) {
      expect(at(host, path), path).toBeDefined();
    }
    await harness.insert('c', { a: 1 });
    const status = await harness.run({ serverStatus: 1 });
    expect([status.get('process'), at(status, 'storageEngine.name')]).toEqual(['mongos', 'discord']);
    expect([at(status, 'opcounters.insert'), at(status, 'network.bytesIn')]).toEqual([1n, 2n]);
    expect(at(status, 'discodb.fake')).toBe(true);
    expect(toPlain(at(status, 'globalLock.activeClients') as never)).toEqual({
      total: int(1),
      readers: int(1),
      writers: int(0),
    });
  });

  it('serverStatus leaves out the sections that are not wanted', async () => {
    const status = await new Harness().run({ serverStatus: 1, metrics: 0, discodb: false, mem: 1, version: 0 });
    expect(['metrics', 'discodb'].filter((name) => status.has(name))).toEqual([]);
    expect([status.has('mem'), status.has('version'), status.get('ok')]).toEqual([true, true, 1]);
  });

  it('getDefaultRWConcern, profile and logout', async () => {
    const harness = new Harness();
    const concern = await harness.admin({ getDefaultRWConcern: 1 });
    expect(toPlain(concern.get('defaultWriteConcern'))).toEqual({ w: 'majority', wtimeout: int(0) });
    expect(toPlain(await harness.run({ profile: -1 }))).toMatchObject({ was: int(0), slowms: int(100) });
    expect(failure(await harness.run({ profile: 2 }))[1]).toBe('BadValue');
    expect((await harness.run({ logout: 1 })).get('ok')).toBe(1);
  });

  it('listCommands names every command', async () => {
    const reply = await new Harness().run({ listCommands: 1 });
    expect([...(reply.get('commands') as Map<string, unknown>).keys()].sort()).toEqual([...commands.keys()].sort());
  });
});

describe('currentOp and killOp', () => {
  it('show what runs and end it', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 });
    harness.engine.reading = new Promise(() => {});
    const read = harness.run({ find: 'c', filter: { a: 1 } });
    await harness.clock.advance(3000);
    const shown = await harness.admin({ currentOp: 1, ns: 'test.c' });
    expect(at(shown, 'inprog.0.secs_running')).toBe(3n);
    expect(at(shown, 'inprog.0.command.find')).toBe('c');
    expect(at(shown, 'inprog.1')).toBeUndefined();
    const killed = await harness.admin({ killOp: 1, op: at(shown, 'inprog.0.opid') });
    expect(killed.get('info')).toBe('attempting to kill op');
    expect(failure(await read)).toEqual([11601, 'Interrupted', 'operation was interrupted']);
    expect(failure(await harness.admin({ killOp: 1 }))[1]).toBe('NoSuchKey');
  });
});

describe('explain', () => {
  const plan = 'queryPlanner.winningPlan.stage';

  it.each([
    [{ find: 'c', filter: { a: 1 } }, 'COLLSCAN'],
    [{ count: 'c', query: { a: 1 } }, 'COUNT'],
    [{ distinct: 'c', key: 'a' }, 'COLLSCAN'],
    [{ update: 'c', updates: [{ q: { a: 1 }, u: {} }] }, 'UPDATE'],
    [{ delete: 'c', deletes: [{ q: { a: 1 }, limit: 0 }] }, 'DELETE'],
    [{ findAndModify: 'c', query: { a: 1 }, remove: true }, 'DELETE'],
    [{ findandmodify: 'c', query: { a: 1 }, update: {} }, 'UPDATE'],
  ])('%j', async (command, stage) => {
    const harness = new Harness();
    const reply = await harness.run({ explain: command, verbosity: 'queryPlanner' });
    expect(at(reply, plan)).toBe(stage);
    expect(reply.has('executionStats')).toBe(false);
    expect(at(reply, 'serverInfo.port')).toEqual(int(27017));
    expect(harness.engine.called('explain')[0]).toEqual({ db: 'test', coll: 'c' });
  });

  it('of a pipeline asks for that of its stages', async () => {
    const harness = new Harness();
    const pipeline = [{ $match: { a: 1 } }, { $group: { _id: 1 } }];
    const reply = await harness.run({ explain: { aggregate: 'c', pipeline, cursor: {} } });
    expect(at(reply, 'stages.1.$group._id')).toEqual(int(1));
    expect(harness.engine.called('explainPipeline').at(-1)).toBe('allPlansExecution');
    const old = await harness.run({ aggregate: 'c', pipeline, explain: true });
    expect(at(old, 'stages.1.$group._id')).toEqual(int(1));
    expect(harness.engine.called('explainPipeline').at(-1)).toBe('queryPlanner');
  });

  it('refuses what has no plan, and unknown verbosities', async () => {
    const harness = new Harness();
    expect(failure(await harness.run({ explain: { ping: 1 } }))[1]).toBe('CommandNotFound');
    expect(failure(await harness.run({ explain: { find: 'c' }, verbosity: 'x' }))[1]).toBe('FailedToParse');
  });
});
