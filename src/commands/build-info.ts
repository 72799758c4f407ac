import { arch, endianness } from 'node:os';
import { doc, MAX_DOCUMENT_BYTES } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { MONGODB_VERSION, MONGODB_VERSION_ARRAY } from './shared/version.ts';

export const buildInfo = defineCommand({
  name: 'buildInfo',
  aliases: ['buildinfo'],
  lenient: true,
  help: 'tells the version',
  fields: {},
  run: (_args, _request, { version }) =>
    doc({
      version: MONGODB_VERSION,
      gitVersion: `discodb-${version}`,
      modules: [],
      allocator: 'system',
      javascriptEngine: 'none',
      sysInfo: 'deprecated',
      versionArray: MONGODB_VERSION_ARRAY,
      openssl: { running: process.versions.openssl, compiled: process.versions.openssl },
      buildEnvironment: { target_arch: arch(), target_os: process.platform, endian: endianness() },
      bits: 64,
      debug: false,
      maxBsonObjectSize: MAX_DOCUMENT_BYTES,
      storageEngines: ['discord'],
      discodb: { version },
    }),
});
