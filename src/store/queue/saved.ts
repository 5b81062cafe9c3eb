/** What Postgres holds of a queue: that which must survive Redis. */
import { randomBytes } from 'node:crypto';
import type { QueueSettings } from '../../sale.ts';
import { type Postgres, statement, type Transaction } from '../postgres.ts';
import type { QueueState } from './line.ts';

const sql = {
  insert: statement('insert_queue'),
  read: statement('read_queue'),
  save: statement('save_queue'),
  draw: statement('draw_queue'),
};
/** Bytes of a seed, and of a key of tickets. */
const SECRET_BYTES = 32;
const newSecret = () => randomBytes(SECRET_BYTES);

/** How far a queue is, as Postgres has last heard; and what is final. */
export interface SavedQueue {
  readonly joined: number;
  /** No later comer has a number past it. */
  readonly reserved: number;
  readonly line: number;
  readonly tail: number;
  /** How many were drawn; null while the draw was not made. */
  readonly drawn: number | null;
}

/** Gives a sale a queue, with a seed and a key of its own, within a transaction. Throws what pg throws. */
export async function insertQueue(
  client: Transaction,
  saleId: string,
  { admitPerSecond, opensAtMs, draws, passSeconds }: QueueSettings,
): Promise<void> {
  const opensAt = opensAtMs === undefined ? null : new Date(opensAtMs);
  const secrets = [newSecret(), newSecret()];
  const values = [saleId, admitPerSecond, opensAt, draws, passSeconds ?? null, ...secrets];
  await client.query({ ...sql.insert, values });
}

/** A queue as `sql/change_sale.sql` takes it; a sale that had none gets the seed and the key. */
export const rowOfQueue = ({ admitPerSecond, opensAtMs, draws, passSeconds }: QueueSettings): string =>
  JSON.stringify({
    ...{ rate: admitPerSecond, opens_ms: opensAtMs, draws, pass_seconds: passSeconds },
    ...{ seed: newSecret().toString('hex'), key: newSecret().toString('hex') },
  });

/** What Postgres has of a queue; undefined when the sale has none. Throws as `Postgres.query` does. */
export const readSaved = async (postgres: Postgres, saleId: string): Promise<SavedQueue | undefined> =>
  (await postgres.query<SavedQueue & Record<string, unknown>>(sql.read, [saleId]))[0];

/** Notes how far a queue is. Throws as `Postgres.query` does. */
export async function saveState(
  postgres: Postgres,
  saleId: string,
  { joined, ahead, tail, later }: QueueState,
): Promise<void> {
  await postgres.query(sql.save, [saleId, joined, ahead, tail, later]);
}

/**
 * Makes the draw: of as many as have joined, for ever. Returns how many; undefined when it was made before. Throws as
 * `Postgres.query` does.
 */
export async function drawPlaces(
  postgres: Postgres,
  saleId: string,
  joined: number,
): Promise<number | undefined> {
  const [row] = await postgres.query<{ drawn: number }>(sql.draw, [saleId, joined]);
  return row?.drawn;
}
