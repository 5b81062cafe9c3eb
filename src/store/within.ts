import type { Postgres, Transaction } from './postgres.ts';

/** Reads within a transaction, for what takes a Postgres to read from. Throws what pg throws. */
export const within = (client: Transaction): Pick<Postgres, 'query'> => ({
  query: async (statement, values = []) => (await client.query({ ...statement, values })).rows,
});
