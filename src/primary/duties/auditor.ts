import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../../log.ts';
import { maskCodes } from '../../mask.ts';
import type { LiveSale } from '../../sale.ts';
import { auditSale, type Difference } from '../../store/audit/audit.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Redis } from '../../store/redis.ts';
import { forEachSale } from './each-sale.ts';

/** Differences logged one by one per sale. With more, only their number is logged: a broken sale must not fill the disk. */
const LOGGED_MAX = 20;
/**
 * Share of the time that the audit is at work; for the rest it leaves the stores to the buyers. At full speed the audit
 * of a sale of 10,000 items kept two cores busy for a second, and a sell-out beside it was half as fast.
 */
const AT_WORK = 0.1;

export interface AuditorOptions {
  readonly redis: Redis;
  readonly postgres: Postgres;
  readonly log: Log;
  readonly sales: () => readonly LiveSale[];
  /** Called after each audited sale with the number of differences, which may be 0. */
  readonly onDifference: (count: number, saleId: string) => void;
}

/**
 * A function that audits every live sale once, one after the other, and logs what differs; the signal ends it. Returns whether
 * all of them could be audited.
 */
export function createAuditor({ redis, postgres, log, sales, onDifference }: AuditorOptions) {
  return (signal: AbortSignal): Promise<boolean> => {
    const audit = async ({ id }: LiveSale) => {
      const differences = await auditSale(redis, postgres, id, createRest(signal));
      onDifference(differences.length, id);
      reportDifferences(log, id, differences);
    };
    return forEachSale(log, sales(), 'a sale could not be audited', audit, signal);
  };
}

/** A pause that is as many times as long as the work since the last one that the share of `AT_WORK` is kept. */
export function createRest(signal: AbortSignal): () => Promise<void> {
  let sinceMs = performance.now();
  return async () => {
    const workedMs = performance.now() - sinceMs;
    await sleep(workedMs * (1 / AT_WORK - 1), undefined, { signal });
    sinceMs = performance.now();
  };
}

/** Logs what differs in a sale: one line each, up to a bound. */
export function reportDifferences(log: Log, saleId: string, differences: readonly Difference[]): void {
  for (const difference of differences.slice(0, LOGGED_MAX)) report(log, difference);
  if (differences.length > LOGGED_MAX)
    log.error({ sale: saleId, differences: differences.length }, 'the books differ');
}

function report(log: Log, { saleId, check, subject, problem }: Difference): void {
  log.error(
    { sale: saleId, check, subject: maskCodes(subject), problem: maskCodes(problem) },
    'the books differ',
  );
}
