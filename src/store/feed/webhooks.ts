import { type Postgres, statement } from '../postgres.ts';
import type { FeedPlace } from './read.ts';

const sql = {
  start: statement('start_webhooks'),
  move: statement('move_webhooks'),
  due: statement('due_webhooks'),
  keys: statement('waiting_keys'),
  arrived: statement('webhooks_arrived'),
  failed: statement('webhooks_failed'),
  hurry: statement('hurry_webhooks'),
  retry: statement('retry_webhooks'),
  dead: statement('dead_webhooks'),
  backlog: statement('webhook_backlog'),
};

/** An event that is sent to the shop. */
export interface Message {
  /** The event's. */
  readonly id: string;
  /** Messages of one key arrive in their order. */
  readonly key: string;
  readonly body: string;
}

export interface WaitingMessage extends Message {
  /** How often it was sent in vain. */
  readonly tries: number;
}

/** A message that has not arrived; without a `failure` it was not tried. */
export interface Undelivered extends Message {
  readonly place: FeedPlace;
  readonly atMs: number;
  readonly failure: string;
  readonly waitMs: number;
  readonly dead: boolean;
}

/** Where the webhooks are in the feed; they begin at its end. All functions here throw as `Postgres.query` does. */
export async function webhookPlace(postgres: Postgres): Promise<FeedPlace> {
  const [place] = await postgres.query<{ turn: string; seq: string; read: number }>(sql.start);
  return place as FeedPlace;
}

/** Moves them on, and notes what has not arrived on the way, in one step. Returns false when another leader has moved them. */
export async function moveWebhooks(
  postgres: Postgres,
  from: FeedPlace,
  to: FeedPlace,
  left: readonly Undelivered[],
): Promise<boolean> {
  const moved = await postgres.query(sql.move, [
    ...[from.turn, from.seq, from.read, to.turn, to.seq, to.read],
    left.map(({ place }) => place.turn),
    left.map(({ place }) => place.seq),
    left.map(({ place }) => place.read - 1),
    left.map(({ id }) => id),
    left.map(({ key }) => key),
    left.map(({ atMs }) => atMs),
    left.map(({ body }) => body),
    left.map(({ failure }) => failure),
    left.map(({ waitMs }) => waitMs),
    left.map(({ dead }) => dead),
  ]);
  return moved.length > 0;
}

/** The oldest message of each key whose next try is due, `limit` at most. */
export const dueMessages = (postgres: Postgres, limit: number): Promise<WaitingMessage[]> =>
  postgres.query<WaitingMessage & Record<string, unknown>>(sql.due, [limit]);

/** Those of the keys that have a message which waits. */
export async function waitingKeys(postgres: Postgres, keys: readonly string[]): Promise<Set<string>> {
  const rows = await postgres.query<{ key: string }>(sql.keys, [keys]);
  return new Set(rows.map(({ key }) => key));
}

export const noteArrived = async (postgres: Postgres, ids: readonly string[]): Promise<void> =>
  void (await postgres.query(sql.arrived, [ids]));

export interface Failure {
  readonly id: string;
  readonly failure: string;
  readonly waitMs: number;
  /** No further try will help. */
  readonly dead: boolean;
}

/** Notes tries in vain; returns the ids of messages that are dead since, after `triesMax` tries or `daysMax` days. */
export async function noteFailed(
  postgres: Postgres,
  failures: readonly Failure[],
  triesMax: number,
  daysMax: number,
): Promise<string[]> {
  const rows = await postgres.query<{ dead: string | null }>(sql.failed, [
    failures.map(({ id }) => id),
    failures.map(({ failure }) => failure),
    failures.map(({ waitMs }) => waitMs),
    failures.map(({ dead }) => dead),
    ...[triesMax, daysMax],
  ]);
  return rows.flatMap(({ dead }) => dead ?? []);
}

/** Has everything that waits sent again at once. */
export const hurryWebhooks = async (postgres: Postgres): Promise<void> =>
  void (await postgres.query(sql.hurry));

/** Has a dead message sent again, or all; returns how many. What waits is due at once. */
export async function retryWebhooks(postgres: Postgres, id: string | undefined): Promise<number> {
  const [row] = await postgres.query<{ revived: number }>(sql.retry, [id ?? null]);
  return row?.revived ?? 0;
}

export interface DeadMessage {
  readonly id: string;
  readonly body: string;
  readonly tries: number;
  readonly failure: string;
  readonly firstMs: number;
}

/** Messages that could not be delivered, in the order of the feed, behind a place. */
export async function deadMessages(
  postgres: Postgres,
  after: FeedPlace,
  limit: number,
): Promise<DeadMessage[]> {
  const rows = await postgres.query<Omit<DeadMessage, 'firstMs'> & { first_ms: number }>(sql.dead, [
    ...[after.turn, after.seq, after.read - 1, limit],
  ]);
  return rows.map(({ first_ms: firstMs, ...row }) => ({ ...row, firstMs }));
}

export interface Backlog {
  readonly waiting: number;
  readonly dead: number;
  /** Of the oldest event that has not arrived and is not dead, in seconds. */
  readonly ageS: number;
}

export async function webhookBacklog(postgres: Postgres): Promise<Backlog> {
  const [row] = await postgres.query<{ waiting: number; dead: number; age_s: number }>(sql.backlog);
  const { waiting, dead, age_s: ageS } = row as { waiting: number; dead: number; age_s: number };
  return { waiting, dead, ageS };
}
