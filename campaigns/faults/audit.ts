import { auditSale } from '../../src/store/audit/audit.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openRedis } from '../../src/store/redis.ts';
import type { Violation } from './checker.ts';
import type { Urls } from './dumps.ts';

/** The service's own audit of a sale: it must agree with the checker that the books balance. */
export async function audit({ redisUrl, databaseUrl }: Urls, saleId: string): Promise<Violation[]> {
  const redis = await openRedis({ url: redisUrl, patient: false, onError: () => {} });
  const postgres = await openPostgres({
    url: databaseUrl,
    connectionsMax: 1,
    patient: false,
    onError: () => {},
  });
  try {
    const differences = await auditSale(redis, postgres, saleId);
    return differences.map(({ check, subject, problem }) => ({
      kind: 'books-differ',
      detail: `audit, ${check}: ${subject} ${problem}`,
    }));
  } finally {
    await redis.close();
    await postgres.close();
  }
}
