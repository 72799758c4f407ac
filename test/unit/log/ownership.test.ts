import { beforeEach, describe, expect, test } from 'vitest';
import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { OwnedError, OwnedStore, Ownership } from '../../../src/log/index.ts';
import { EVIDENCE_MS, LEASE_MS } from '../../../src/log/ownership.ts';
import { MemoryStore, StoreError } from '../../../src/store/index.ts';

const [HERE, THERE] = ['aaaa', 'bbbb'];

let clock: VirtualClock;
let store: MemoryStore;
let env: Env;
let control: string;
let data: string;
let posted: number;

beforeEach(async () => {
  clock = new VirtualClock();
  store = new MemoryStore(clock);
  env = { clock, random: seededRandom(3), log: silentLog };
  const parent = await store.createChannel({ name: 'discodb', kind: 'category' });
  const make = (name: string) => store.createChannel({ name, kind: 'text', parentId: parent.id, topic: name });
  control = (await make('control')).id;
  data = (await make('data')).id;
  posted = 0;
});

function claim(instance: string, force = false): Promise<Ownership> {
  return clock.run(Ownership.claim(store, control, env, { lease: { instance, force } }));
}

function post(owner: Ownership): Promise<unknown> {
  const nonce = `n${posted++}`;
  return clock.run(new OwnedStore(store, owner).append(data, () => ({ content: 'a record', files: [], nonce })));
}

describe('a lease', () => {
  test('keeps a second process away while its owner is alive', async () => {
    await claim(HERE);
    await expect(claim(THERE)).rejects.toThrow(OwnedError);
    await clock.advance(10 * LEASE_MS);
    await expect(claim(THERE)).rejects.toThrow(/was alive \d+ s ago.*--force/s);
  });

  test('is given back by an owner that ends', async () => {
    const first = await claim(HERE);
    await clock.run(first.release());
    const started = clock.now();
    expect((await claim(THERE)).epoch).toBe(2);
    expect(clock.now()).toBe(started);
  });

  test('of a killed process on the same data directory is taken over at once', async () => {
    const first = await claim(HERE);
    const started = clock.now();
    expect((await claim(HERE)).epoch).toBe(first.epoch + 1);
    expect(clock.now()).toBe(started);
  });

  test('leaves a bounded number of messages behind', async () => {
    await claim(HERE);
    await clock.advance(500 * 2 * 60_000);
    expect(store.peek(control).length).toBeLessThanOrEqual(101);
  });
});

describe('an owner', () => {
  test('acknowledges without a further request while its evidence is fresh', async () => {
    const owner = await claim(HERE);
    const before = { ...store.requests };
    for (let n = 0; n < 5; n++) await post(owner);
    expect(store.requests).toEqual({ ...before, append: before.append + 5 });
  });

  test('that was pushed out acknowledges nothing from the moment on that the new one reads', async () => {
    const old = await claim(HERE);
    await clock.advance(60_000);
    const started = clock.now();
    const taking = claim(THERE, true);
    const next = await taking;
    expect(clock.now() - started).toBeGreaterThanOrEqual(EVIDENCE_MS);
    expect(next.epoch).toBe(old.epoch + 1);
    await expect(post(old)).rejects.toMatchObject({ code: 'fenced' });
    await post(next);
  });

  test('that renews its lease behind the fence of another one notices that all the same', async () => {
    const old = await claim(HERE);
    await clock.advance(119_000);
    // The last look before the renewal does not come through.
    store.faults.fail = (request) => (request === 'page' ? new StoreError('closed', 'no answer') : undefined);
    const before = store.peek(control).length;
    const blind = store.faults.fail;
    store.faults.fail = undefined;
    const taking = Ownership.claim(store, control, env, { lease: { instance: THERE, force: true } });
    await clock.advance(0);
    store.faults.fail = blind;
    await clock.advance(2000);
    store.faults.fail = undefined;
    // Its own comes last.
    expect(store.peek(control).length).toBe(before + 2);
    await clock.run(taking);
    await expect(post(old)).rejects.toMatchObject({ code: 'fenced' });
  });

  test('that hears nothing looks again before it acknowledges', async () => {
    const old = await claim(HERE);
    // Its own watch fails, as behind a broken network; then the network is back.
    store.faults.latency = 10 * 60_000;
    await clock.advance(60_000);
    store.faults.latency = 0;
    const pages = store.requests.page;
    await post(old);
    expect(store.requests.page).toBeGreaterThan(pages);
  });

  test('notices at once when it is woken', async () => {
    const old = await claim(HERE);
    const taking = Ownership.claim(store, control, env, { lease: { instance: THERE, force: true } });
    await clock.advance(1);
    old.wake(store.peek(control).at(-1)!.id);
    await clock.advance(1);
    expect(() => old.check()).toThrow(/took over/);
    await clock.run(taking);
  });

  test('without a lease watches nothing', async () => {
    const owner = await clock.run(Ownership.claim(store, control, env));
    const before = { ...store.requests };
    await clock.advance(24 * 60 * 60_000);
    await owner.confirm();
    await owner.release();
    expect(store.requests).toEqual(before);
  });
});
