import fc from 'fast-check';

/** Runs repeat each other, so that a red one is somebody's change. `FAST_CHECK_SEED=random` looks for what nobody has met yet. */
const DEFAULT_SEED = 20_261_125;
const given = process.env.FAST_CHECK_SEED;
if (given !== 'random') fc.configureGlobal({ seed: given === undefined ? DEFAULT_SEED : Number(given) });
