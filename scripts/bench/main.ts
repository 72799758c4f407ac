import { parseArgs } from 'node:util';
import { benchDiscord } from './discord/bench.ts';
import { benchQuery } from './query/bench.ts';
import { benchTcp } from './tcp/bench.ts';

const USAGE = `npm run bench -- discord [--seed N] [--only TEXT]
npm run bench -- tcp [--profile] [--only TEXT]
npm run bench -- query [--only TEXT]`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
  },
});
const { only, profile } = values;
if (positionals[0] === 'discord') await benchDiscord({ seed: Number(values.seed), only });
else if (positionals[0] === 'tcp') await benchTcp({ only, profile });
else if (positionals[0] === 'query') await benchQuery({ only });
else {
  console.error(USAGE);
  process.exitCode = 1;
}
