import type { BoxStatus } from '../messages.ts';
import { type Postgres, statement } from './postgres.ts';

const sql = { beat: statement('beat_box'), leave: statement('leave_box') };

/** A box that was not heard for this long, in seconds, is no longer listed: somebody has seen it by then. */
const FORGET_S = 600;
/** Boxes that are listed, at most. */
const LISTED_MAX = 64;

/** What a box says of itself. */
export interface OwnBox {
  /** Names this run of the service; the log line `open` says it. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly release: string;
  readonly workers: number;
  readonly leader: boolean;
}

/** Notes that this box lives; returns the others, those included that fell silent. Throws as `Postgres.query` does. */
export const beatBox = (
  postgres: Postgres,
  { id, host, port, release, workers, leader }: OwnBox,
): Promise<BoxStatus[]> =>
  postgres.query<BoxStatus>(sql.beat, [id, host, port, release, workers, leader, FORGET_S, LISTED_MAX]);

/** Forgets a box that leaves. Throws as `Postgres.query` does. */
export async function leaveBoxes(postgres: Postgres, id: string): Promise<void> {
  await postgres.query(sql.leave, [id]);
}
