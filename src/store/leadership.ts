import pg from 'pg';

/** One leader per database; any number will do, as long as every release uses the same. */
const LEADER_LOCK = 7_201_605;
/** How often the lock is tried for, and the connection that holds it is checked. */
const CHECK_MS = 500;
const SILENCE_MAX_MS = 5_000;

/** Holds, or goes on trying to get, the advisory lock that makes one box the leader of a database. */
export interface Leadership {
  /**
   * True while this box holds the lock, as far as it knows: another may lead already when the connection was just
   * lost. Everything that leaders do stays right with two of them (docs/recovery.md).
   */
  readonly isLeader: boolean;
  close(): Promise<void>;
}

/** Resolves after the first try. */
export async function seekLeadership(
  url: string,
  onChange: (isLeader: boolean) => void,
): Promise<Leadership> {
  let client: pg.Client | undefined;
  let isLeader = false;
  let closed = false;
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
    const opened = new pg.Client({
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

  /** The lock belongs to the session: holding it means having a session that answers. */
  const check = async () => {
    try {
      if (client === undefined) await connect();
      const { rows } = isLeader
        ? await client!.query('select true as held')
        : await client!.query('select pg_try_advisory_lock($1) as held', [LEADER_LOCK]);
      setLeader(rows[0].held);
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
