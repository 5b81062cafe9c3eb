import type { Log } from '../log.ts';
import type { LiveSale } from '../messages.ts';
import { auditSale, type Difference } from '../store/audit.ts';
import type { Postgres } from '../store/postgres.ts';
import type { Redis } from '../store/redis.ts';

/** Differences logged one by one per sale; past that a broken sale would fill the disk, and their number says it all. */
const LOGGED_MAX = 20;

export interface AuditorOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
  /** Hears after each audited sale how many differences were found, also of none. */
  readonly onDifference: (count: number) => void;
}

/** A function that audits every live sale once, one after the other, and logs what differs. */
export function createAuditor({
  redis,
  postgres,
  log,
  sales,
  onDifference,
}: AuditorOptions): () => Promise<void> {
  return async () => {
    for (const { id } of sales()) {
      const differences = await auditSale(redis, postgres, id);
      onDifference(differences.length);
      for (const difference of differences.slice(0, LOGGED_MAX)) report(log, difference);
      if (differences.length > LOGGED_MAX)
        log.error({ sale: id, differences: differences.length }, 'the books differ');
    }
  };
}

function report(log: Log, { saleId, check, subject, problem }: Difference): void {
  log.error(
    { sale: saleId, check, subject: maskCodes(subject), problem: maskCodes(problem) },
    'the books differ',
  );
}

/** A code is a key to a receipt: the log shows enough of it to find it, and no more. */
const maskCodes = (text: string) => text.replace(/(CHK-S-[0-9a-f]{10}-[0-9a-f]{8})[0-9a-f]{24}/g, '$1…');
