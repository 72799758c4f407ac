import { VirtualClock } from '../../../src/base/index.ts';
import { MemoryStore } from '../../../src/store/index.ts';
import { storeContract } from './store-contract.ts';

storeContract('MemoryStore', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock);
  return { store, run: (promise) => clock.run(promise), close: () => store.close() };
});

storeContract('MemoryStore with latency', async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore(clock);
  store.faults.latency = 100;
  return { store, run: (promise) => clock.run(promise), close: () => store.close() };
});
