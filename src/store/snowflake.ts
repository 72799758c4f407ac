/** The first millisecond of Discord's snowflakes (docs: reference.mdx, "Snowflakes"). */
const DISCORD_EPOCH_MS = 1_420_070_400_000;
/** Bits below the milliseconds: worker, process, increment. */
const TIME_SHIFT = 22n;

/** When Discord made the id, in milliseconds since the Unix epoch, by Discord's clock. */
export function snowflakeTime(id: bigint): number {
  return Number(id >> TIME_SHIFT) + DISCORD_EPOCH_MS;
}

/** The lowest id of a millisecond. */
export function snowflakeAt(ms: number): bigint {
  return BigInt(Math.max(0, Math.floor(ms) - DISCORD_EPOCH_MS)) << TIME_SHIFT;
}
