import { randomBytes } from 'node:crypto';

const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/;

/** Makes the ids of one process' requests: the caller's own when it is well-formed, else a fresh one. */
export function createRequestIds(): (given: string | undefined) => string {
  // Unique by the prefix between processes, and by the count within one.
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return (given) => (given !== undefined && ACCEPTED.test(given) ? given : `${prefix}-${(++count).toString(36)}`);
}
