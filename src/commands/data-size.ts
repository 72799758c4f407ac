import { CodedError } from '../base/index.ts';
import { doc } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, document, required, string } from './fields.ts';
import { readable, refuseView, splitNamespace } from './shared/namespace.ts';

export const dataSize = defineCommand({
  name: 'dataSize',
  aliases: ['datasize'],
  help: 'tells the bytes of the documents of a collection',
  fields: {
    dataSize: required(string()),
    keyPattern: document(),
    min: document(),
    max: document(),
    estimate: boolean(),
  },
  async run(args, _request, { engine, env }) {
    if (args.min || args.max) {
      throw new CodedError('NotImplemented', 'DiscoDB does not support dataSize of a range of keys yet');
    }
    const { db, coll } = splitNamespace(args.dataSize);
    const ns = readable(db, coll);
    refuseView(engine, ns);
    const started = env.clock.monotonic();
    const { size, count } = engine.collection(ns) ? await engine.stats(ns) : { size: 0, count: 0 };
    return doc({ size, numObjects: count, millis: Math.round(env.clock.monotonic() - started), estimate: false });
  },
});
