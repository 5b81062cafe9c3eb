/**
 * What an error of Postgres means to this service, by its SQLSTATE.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export type Meaning =
  /** It contradicts an existing row. */
  | 'contradiction'
  /** These values will never be accepted, however often they are sent. */
  | 'refused'
  /** The server cannot write: a standby, or a primary that was made read-only. */
  | 'read-only'
  /** Nothing happened, and the same again may work: a deadlock, a serialization failure, a lock or a statement that timed out. */
  | 'busy'
  /** The server, the connection, or this service's permissions. The fate of the statement is unknown. */
  | 'away'
  /** A bug of the service. */
  | 'bug';

/** The longest matching prefix decides. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '08': 'away', // the connection
  '22': 'refused', // data exceptions
  '23': 'refused', // constraints
  '23505': 'contradiction', // a unique key that is taken
  '25006': 'read-only',
  '25P03': 'busy', // idle in a transaction for too long
  '28': 'away', // the login is no longer valid
  '3D000': 'away', // the database is gone
  '40': 'busy', // rolled back: deadlock, serialization
  '42501': 'away', // a privilege was taken away
  '53': 'away', // out of disk, memory or connections
  '55P03': 'busy', // a lock was not granted in time
  '57014': 'busy', // cancelled: statement_timeout, or an operator
  '57P': 'away', // shutting down, starting up
  '58': 'away', // an error of the system
  XX: 'away', // an internal error, corrupted data
};

/** What a SQLSTATE means; five characters. */
export function meaningOf(sqlstate: string): Meaning {
  for (let length = sqlstate.length; length >= 2; length--) {
    const meaning = MEANINGS[sqlstate.slice(0, length)];
    if (meaning !== undefined) return meaning;
  }
  return 'bug';
}
