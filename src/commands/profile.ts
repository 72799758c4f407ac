import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { integer, required } from './fields.ts';

const SLOW_MS = 100;

/** As on a mongos, there is no profiler: level 0 is what there is, -1 asks for it. */
export const profile = defineCommand({
  name: 'profile',
  lenient: true,
  help: 'tells the profiling level',
  fields: { profile: required(integer()) },
  run({ profile: level }) {
    if (level !== 0 && level !== -1) {
      throw new CodedError('BadValue', `Profiling is not permitted on this server: level ${level}`);
    }
    return doc({ was: 0, slowms: SLOW_MS, sampleRate: 1 });
  },
});
