import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { openDiscordStore } from '../../../src/discord/index.ts';
import { Emulator, MemoryDisk } from '../../../src/emulator/index.ts';
import { emulatorTransport } from '../../support/emulator-transport.ts';
import { installVirtualGlobals } from '../../support/virtual-globals.ts';
import { storeContract } from './store-contract.ts';

for (const limits of ['off', 'discord'] as const) {
  storeContract(`The Discord store on the embedded Discord, limits ${limits},`, async () => {
    const clock = new VirtualClock();
    const restore = installVirtualGlobals(clock);
    const env: Env = { clock, random: seededRandom(1), log: silentLog };
    const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits });
    const { token, guildId } = emulator.credentials();
    const transport = emulatorTransport(emulator);
    const opening = openDiscordStore({
      tokens: [token],
      guildIds: [guildId],
      env,
      transport,
      limits,
      apiUrl: 'http://discord.invalid/api/v10',
    });
    const store = await clock.run(opening);
    const close = async () => {
      restore();
      await store.close();
    };
    return { store, run: (promise) => clock.run(promise), close };
  });
}
