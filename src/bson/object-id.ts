import { Buffer } from 'node:buffer';
import { ObjectId } from 'bson';
import { type Env, randomInt } from '../base/index.ts';

interface Generator {
  /** Five bytes that tell this process from others. */
  readonly process: Uint8Array;
  /** Starts anywhere, wraps at 2^24. */
  counter: number;
}

const COUNTER_LIMIT = 0x100_0000;

/** One for each source of chance, and so one for a process, or for one server of a simulation. */
const generators = new WeakMap<Env['random'], Generator>();

/** Seconds since 1970, the process, and a counter, so that ids made in one second are in order (but for the wrap). */
export function newObjectId(env: Pick<Env, 'clock' | 'random'>): ObjectId {
  const generator = generatorOf(env.random);
  const id = Buffer.alloc(12);
  id.writeUInt32BE(Math.floor(env.clock.now() / 1000) >>> 0, 0);
  id.set(generator.process, 4);
  id.writeUIntBE(generator.counter, 9, 3);
  generator.counter = (generator.counter + 1) % COUNTER_LIMIT;
  return new ObjectId(id);
}

function generatorOf(random: Env['random']): Generator {
  let generator = generators.get(random);
  if (!generator) {
    generator = { process: random.bytes(5), counter: randomInt(random, COUNTER_LIMIT) };
    generators.set(random, generator);
  }
  return generator;
}
