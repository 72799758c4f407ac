#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8';
import { run } from './cli/index.ts';

/** From here on V8 lets the space for new objects reach 128 MiB, and keeps it. */
const NODE_OF_LARGE_NEW_SPACE = 24;

/*
 * How far the heap may grow past what lives in it before it is collected, in percent, and by what factor the space for new
 * objects may grow. V8 would let the one double and the other grow to its end, which for a server that is told how much to
 * keep in memory is memory for nothing. On the 100,000 documents of the benchmark this costs some 5 % of the server's time;
 * optimizing for size, which the newer V8 needs beside it, costs 6 % there and would cost 26 % on the older one.
 */
setFlagsFromString('--heap-growing-percent=30');
setFlagsFromString('--semi-space-growth-factor=1');
if (Number.parseInt(process.versions.node, 10) >= NODE_OF_LARGE_NEW_SPACE) setFlagsFromString('--optimize-for-size');

await run(process.argv);
