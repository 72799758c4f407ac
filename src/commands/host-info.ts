import { arch, availableParallelism, cpus, hostname, release, totalmem, type, version } from 'node:os';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';

const MIB = 1024 * 1024;
/** MongoDB names architectures as `uname -m` does. */
const ARCHITECTURES: ReadonlyMap<string, string> = new Map([
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
]);

export const hostInfo = defineCommand({
  name: 'hostInfo',
  lenient: true,
  help: 'tells about the machine',
  fields: {},
  run: (_args, _request, { env }) =>
    doc({
      system: {
        currentTime: new Date(env.clock.now()),
        hostname: hostname(),
        cpuAddrSize: 64,
        memSizeMB: Math.floor(totalmem() / MIB),
        memLimitMB: Math.floor(totalmem() / MIB),
        numCores: cpus().length,
        numCoresAvailableToProcess: availableParallelism(),
        cpuArch: ARCHITECTURES.get(arch()) ?? arch(),
        numaEnabled: false,
      },
      os: { type: type(), name: version(), version: release() },
      extra: {},
    }),
});
