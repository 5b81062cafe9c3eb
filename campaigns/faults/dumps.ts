import pg from 'pg';
import { createClient } from 'redis';
import { keysOf } from '../../src/store/keys.ts';

/** A sale as both databases hold it after a run. */
export interface Dump {
  readonly saleId: string;
  readonly total: number;
  readonly limit: number;
  readonly items: readonly string[];
  readonly purchases: readonly { item: string; code: string; user: string }[];
  /** `lines` as "+item -item". */
  readonly decisions: readonly { code: string; user: string; lines: string }[];
  readonly attempts: readonly { request: string; outcome: string; code: string | null }[];
  readonly redis: {
    readonly sold: number;
    /** item → units left: '1' unsold, '0' sold */
    readonly items: Readonly<Record<string, string>>;
    readonly bought: Readonly<Record<string, string>>;
    /** code → "decided_ms user +item …" */
    readonly decisions: Readonly<Record<string, string>>;
    /** Entries of the outbox that nobody has committed. */
    readonly waiting: number;
  };
}

export interface Urls {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

export async function withPostgres<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const connectRedis = async (url: string) => {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  await client.connect();
  return client;
};

export async function withRedis<T>(
  url: string,
  work: (client: Awaited<ReturnType<typeof connectRedis>>) => Promise<T>,
): Promise<T> {
  const client = await connectRedis(url);
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

/** Reads everything of one sale. */
export async function dumpSale({ redisUrl, databaseUrl }: Urls, saleId: string): Promise<Dump> {
  const fromPostgres = await withPostgres(databaseUrl, async (client) => {
    const rows = async (text: string) => (await client.query(text, [saleId])).rows;
    const [sale] = await rows('select total, user_limit from sales where id = $1');
    return {
      total: sale.total as number,
      limit: sale.user_limit as number,
      items: (await rows('select id from items where sale_id = $1')).map((row) => row.id as string),
      purchases: await rows(
        'select item_id as item, code, user_id as user from purchases where sale_id = $1',
      ),
      decisions: await rows('select code, user_id as user, lines from decisions where sale_id = $1'),
      attempts: await rows(
        'select request_id as request, outcome, code from checkout_attempts where sale_id = $1',
      ),
    };
  });
  const redis = await withRedis(redisUrl, async (client) => {
    const keys = keysOf(saleId);
    const [sold, items, bought, decisions, waiting] = await Promise.all([
      client.hGet(keys.sale, 'sold'),
      client.hGetAll(keys.items),
      client.hGetAll(keys.bought),
      client.hGetAll(keys.decisions),
      client.xLen(keys.outbox),
    ]);
    return { sold: Number(sold), items, bought, decisions, waiting };
  });
  return { saleId, ...fromPostgres, redis } as Dump;
}

/** Items of a sale that no committed purchase holds. */
export function listUnsold(databaseUrl: string, saleId: string): Promise<string[]> {
  return withPostgres(databaseUrl, async (client) => {
    const { rows } = await client.query(
      'select id from items i where sale_id = $1 and not exists (select from purchases p where p.sale_id = $1 and p.item_id = i.id) order by position',
      [saleId],
    );
    return rows.map((row) => row.id as string);
  });
}

/** Outbox entries of a sale that wait for a commit. */
export const countWaiting = ({ redisUrl }: Urls, saleId: string): Promise<number> =>
  withRedis(redisUrl, (client) => client.xLen(keysOf(saleId).outbox));
