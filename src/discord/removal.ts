import type { Clock } from '../base/index.ts';
import {
  BULK_DELETE_AGE_MAX_MS,
  BULK_DELETE_MAX,
  type ChannelId,
  type MessageId,
  snowflakeTime,
} from '../store/index.ts';
import { ApiError, DiscordCode } from './errors.ts';
import { jsonBody } from './multipart.ts';
import { routes } from './routes.ts';
import type { Swarm } from './swarm.ts';

/** A bulk delete that waits in a queue must not cross the age limit there, nor by a difference between the clocks. */
const AGE_MARGIN_MS = 60 * 60 * 1000;
/** Single deletes under way at a time. */
const SINGLES_AT_ONCE = 4;

export interface RemovalPlan {
  /** Each of 2 to 100 ids. */
  readonly bulks: readonly (readonly MessageId[])[];
  readonly singles: readonly MessageId[];
}

/** The fewest requests that can delete `ids` at `now`; doubled ids, which Discord refuses in bulk, count once. */
export function planRemoval(ids: readonly MessageId[], now: number): RemovalPlan {
  const bulks: MessageId[][] = [];
  const singles: MessageId[] = [];
  let bulk: MessageId[] = [];
  for (const id of new Set(ids)) {
    if (now - snowflakeTime(id) >= BULK_DELETE_AGE_MAX_MS - AGE_MARGIN_MS) {
      singles.push(id);
      continue;
    }
    if (bulk.length === 0) bulks.push(bulk);
    bulk.push(id);
    if (bulk.length === BULK_DELETE_MAX) bulk = [];
  }
  if (bulk.length === 1) {
    bulks.pop();
    singles.push(...bulk);
  }
  return { bulks, singles };
}

export async function remove(swarm: Swarm, clock: Clock, channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
  const plan = planRemoval(ids, clock.now());
  for (const bulk of plan.bulks) await removeBulk(swarm, clock, channel, bulk);
  await removeSingly(swarm, clock, channel, plan.singles);
}

async function removeBulk(swarm: Swarm, clock: Clock, channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
  try {
    await swarm.request({
      route: routes.bulkDelete(channel),
      priority: 'upkeep',
      body: () => jsonBody({ messages: ids.map(String) }),
      read: () => undefined,
    });
  } catch (error) {
    if (goneAlready(error)) return;
    if (!(error instanceof ApiError && error.discordCode === DiscordCode.tooOldForBulkDelete)) throw error;
    await removeSingly(swarm, clock, channel, ids);
  }
}

async function removeSingly(swarm: Swarm, clock: Clock, channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
  const left = [...ids];
  const worker = async () => {
    for (let id = left.pop(); id !== undefined; id = left.pop()) await removeOne(swarm, clock, channel, id);
  };
  await Promise.all(Array.from({ length: Math.min(SINGLES_AT_ONCE, ids.length) }, worker));
}

async function removeOne(swarm: Swarm, clock: Clock, channel: ChannelId, id: MessageId): Promise<void> {
  try {
    const route = routes.deleteMessage(channel, id, clock.now());
    await swarm.request({ route, priority: 'upkeep', read: () => undefined });
  } catch (error) {
    if (!goneAlready(error)) throw error;
  }
}

function goneAlready(error: unknown): boolean {
  return error instanceof ApiError && (error.unknownMessage || error.code === 'gone');
}
