import type pg from 'pg';
import { clientOf } from './postgres-hosts.ts';

/** One leader per database; any number will do, as long as every release uses the same. */
const LEADER_LOCK = 7_201_605;
/** How often the lock is tried for, and the connection that holds it is checked. */
const CHECK_MS = 500;
/** With the time to the others' next try, a box that hangs has lost its duties after 5 s at most. */
const SILENCE_MAX_MS = 4_000;
/** A leader that cannot lead for this long gives the lock back. Longer than a restart of Redis, which is no reason to change. */
const UNFIT_MAX_MS = 3_000;

/** Keeps the lock, gives it back, tries for it, or leaves it to others; each answers whether it is held. */
function statementFor(isLeader: boolean, isFit: boolean): string {
  if (isLeader)
    return isFit
      ? 'select pg_is_in_recovery() as is_standby, true as held'
      : `select not pg_advisory_unlock(${LEADER_LOCK}) as held`;
  return isFit
    ? `select pg_is_in_recovery() as is_standby, pg_try_advisory_lock(${LEADER_LOCK}) as held`
    : 'select false as held';
}

/** Holds the advisory lock that makes one box the leader of a database, or keeps trying to get it. */
export interface Leadership {
  /**
   * True while this box holds the lock, as far as it knows: when the connection was just lost, another box may lead
   * already. Everything that leaders do stays right with two of them (docs/recovery.md).
   */
  readonly isLeader: boolean;
  close(): Promise<void>;
}

/**
 * Resolves after the first try. `canLead` says whether this box could do a leader's work now: while it cannot, another box
 * shall, if there is one.
 */
export async function seekLeadership(
  url: string,
  canLead: () => boolean,
  onChange: (isLeader: boolean) => void,
): Promise<Leadership> {
  const Client = clientOf(url);
  let client: pg.Client | undefined;
  let isLeader = false;
  let closed = false;
  let fitAtMs = performance.now();
  let next: NodeJS.Timeout | undefined;

  const setLeader = (value: boolean) => {
    if (value === isLeader) return;
    isLeader = value;
    onChange(value);
  };
  const drop = (lost = client) => {
    lost?.end().catch(() => {});
    if (lost !== client) return;
    client = undefined;
    setLeader(false);
  };

  const connect = async () => {
    const opened = new Client({
      connectionString: url,
      application_name: 'flashsale leader',
      connectionTimeoutMillis: 2_000,
      query_timeout: 2_000,
    });
    client = opened;
    opened.on('error', () => drop(opened));
    await opened.connect();
    // A leader that is paused, cut off or without power gives the lock back after this time.
    await opened.query(`set idle_session_timeout = ${SILENCE_MAX_MS}`);
  };

  /** The lock belongs to the session, so it is held as long as the session answers. */
  const check = async () => {
    try {
      if (client === undefined) await connect();
      if (canLead()) fitAtMs = performance.now();
      const isFit = performance.now() - fitAtMs < UNFIT_MAX_MS;
      const { rows } = await client!.query(statementFor(isLeader, isFit));
      // A standby grants locks too, but they are its own. The next connection may reach the primary.
      if (rows[0].is_standby) drop();
      else setLeader(rows[0].held);
    } catch {
      drop();
    }
    if (!closed) next = setTimeout(check, CHECK_MS);
  };

  await check();
  return {
    get isLeader() {
      return isLeader;
    },
    async close() {
      closed = true;
      clearTimeout(next);
      await client?.end().catch(() => {});
    },
  };
}
