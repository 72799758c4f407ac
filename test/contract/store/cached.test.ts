import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { cachedStore, MemoryCacheDisk, MemoryStore } from '../../../src/store/index.ts';
import { storeContract } from './store-contract.ts';

for (const latency of [0, 100]) {
  storeContract(`A cached store, latency ${latency},`, async () => {
    const clock = new VirtualClock();
    const env: Env = { clock, random: seededRandom(1), log: silentLog };
    const memory = new MemoryStore(clock);
    memory.faults.latency = latency;
    const store = cachedStore(memory, { env, disk: new MemoryCacheDisk(), guildId: '1' });
    await store.adopt(1);
    return { store, run: (promise) => clock.run(promise), close: () => clock.run(store.close()) };
  });
}
