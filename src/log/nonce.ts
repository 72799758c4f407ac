import { assert } from '../base/index.ts';
import { type ChannelId, NONCE_CHARS_MAX } from '../store/index.ts';

const RADIX = 36;
/** A 64-bit snowflake in base 36. */
const CHANNEL_CHARS = 13;
const EPOCH_CHARS = 5;
const SEQ_CHARS = 7;

/** One less than what the nonce can tell apart: 60 million starts of the server. */
export const EPOCH_MAX = RADIX ** EPOCH_CHARS - 1;
/** 78 thousand million records in one channel: at five a second, five hundred years. */
export const SEQ_MAX = RADIX ** SEQ_CHARS - 1;

assert(CHANNEL_CHARS + EPOCH_CHARS + SEQ_CHARS <= NONCE_CHARS_MAX, 'a nonce has room for its parts');
assert(2n ** 64n <= BigInt(RADIX) ** BigInt(CHANNEL_CHARS), 'a nonce tells all channels apart');
assert(SEQ_MAX <= Number.MAX_SAFE_INTEGER, 'a sequence is exact as a number');

/**
 * What makes a repeated POST harmless: channel, epoch and sequence, each in full and of fixed width, so no two records
 * anywhere share one. The channel must be in it because Discord remembers nonces by author, over all channels.
 */
export function nonceOf(channel: ChannelId, epoch: number, seq: number): string {
  assert(epoch >= 0 && epoch <= EPOCH_MAX, 'epoch fits in a nonce');
  assert(seq >= 0 && seq <= SEQ_MAX, 'sequence fits in a nonce');
  const part = (value: bigint | number, chars: number) => value.toString(RADIX).padStart(chars, '0');
  return part(BigInt(channel), CHANNEL_CHARS) + part(epoch, EPOCH_CHARS) + part(seq, SEQ_CHARS);
}
