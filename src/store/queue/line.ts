import type { LiveSale } from '../../sale.ts';
import { queueKeysOf } from '../keys.ts';
import { type Redis, script } from '../redis.ts';
import { FENCED } from '../statuses.ts';
import type { SavedQueue } from './saved.ts';

const lineScript = script('queue_line');
const restoreScript = script('queue_restore');

/** Where a queue stands, by Redis. */
export interface QueueState {
  /** The sale has begun: nobody is added to those who are drawn. */
  readonly begun: boolean;
  /** How many will be drawn, or were. */
  readonly joined: number;
  /** How many came later. */
  readonly later: number;
  /** Places below it are admitted. Postgres has it, so that no loss of Redis takes it back. */
  readonly line: number;
  /** Where the line will be when Postgres has it. */
  readonly ahead: number;
  /** Places below it were admitted for as long as a pass is good. */
  readonly tail: number;
  /** It waits, because checkouts were shed. */
  readonly held: boolean;
}

/**
 * Moves the admission line by Redis' clock and returns where the queue stands; undefined when Redis does not hold it. Brings the
 * facts of the sale along, unless Redis has later ones: after an operator's change, whoever calls this first makes it hold.
 * `sheds`: checkouts were shed since the last call. Throws as `Redis.run` does.
 */
export async function advanceLine(
  redis: Redis,
  sale: LiveSale,
  sheds: boolean,
): Promise<QueueState | undefined> {
  const { queue } = sale;
  if (queue === undefined) return undefined;
  const { queue: hash, past } = queueKeysOf(sale.id);
  const { version = 0, startsAtMs, endsAtMs, paused = false } = sale;
  const { opensAtMs = 0, admitPerSecond, passSeconds = 0, drawn = -1 } = queue;
  const span = [version, startsAtMs, endsAtMs, opensAtMs, Number(paused)];
  const args = [...span, admitPerSecond, passSeconds * 1_000, drawn, Number(sheds)].map(String);
  const reply = await redis.run(lineScript, [hash, past], args);
  if (reply === FENCED) return undefined;
  return stateOf((reply as string).split(' '));
}

/** Where a queue stands, without moving it; undefined when Redis does not have it. Throws as `Redis.command` does. */
export async function readQueueState(redis: Redis, saleId: string): Promise<QueueState | undefined> {
  const { queue } = queueKeysOf(saleId);
  const fields = ['begun', 'joined', 'later', 'shown', 'tail', 'held', 'line', 'at'];
  const values = (await redis.command('HMGET', queue, ...fields)) as (string | null)[];
  if (values[6] === null) return undefined;
  const state = values.map((value) => value ?? '0');
  // The script notes until when it is held, and when it last looked.
  const held = Number(state[5]) > Number(state[7]) ? '1' : '0';
  return stateOf([...state.slice(0, 5), held, ...state.slice(6)]);
}

function stateOf(words: readonly string[]): QueueState {
  const [begun, joined = 0, later = 0, line = 0, tail = 0, held, ahead = 0] = words.map(Number);
  return { begun: begun === 1, joined, later, line, ahead, tail, held: held === 1 };
}

/**
 * Tells Redis what Postgres has of a queue, or gives the queue back to a Redis that does not hold it. One that does lets buyers go by
 * this line, gives numbers up to `reserved`, and keeps whatever is further. Throws as `Redis.run` does.
 */
export async function restoreQueue(
  redis: Redis,
  saleId: string,
  { joined, reserved, line, tail }: Omit<SavedQueue, 'drawn'>,
): Promise<void> {
  const { queue, past } = queueKeysOf(saleId);
  await redis.run(restoreScript, [queue, past], [joined, reserved, line, tail].map(String));
}
