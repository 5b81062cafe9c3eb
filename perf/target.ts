/** Which service a command works on, and which of its sales. */
import { runningService, UsageError } from './command.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale, findSale, type Sale } from './shop.ts';

/** Options that sellout and load share, for parseArgs. */
export const TARGET_OPTIONS = {
  url: { type: 'string' },
  redis: { type: 'string' },
  database: { type: 'string' },
  sale: { type: 'string' },
  workers: { type: 'string' },
  items: { type: 'string' },
} as const;

export const TARGET_HELP = `  --url http://…           this service (with --redis and --database, unless it runs on DATA_DIR)
  --sale S-…               this sale instead of the active one
  --workers N, --items N   of a service of its own: worker processes, items of the sale`;

export type TargetOptions = Partial<Record<keyof typeof TARGET_OPTIONS, string>>;

export interface Target {
  readonly url: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Started by this command, so it has no other clients. */
  readonly isOwn: boolean;
  leave(): Promise<void>;
}

/** The service that is named, or that runs on DATA_DIR; or else a new one, which is stopped by `leave`. */
export async function openTarget(options: TargetOptions): Promise<Target> {
  const running = runningService();
  const leave = async () => {};
  const { url, redis, database } = options;
  if (redis !== undefined || database !== undefined) {
    if (url && redis && database) return { url, redisUrl: redis, databaseUrl: database, isOwn: false, leave };
    throw new UsageError('--url, --redis and --database belong together.');
  }
  if (url !== undefined && url.replace(/\/$/, '') !== running?.url) {
    throw new UsageError(
      `the service at ${url} does not run on DATA_DIR: its books need --redis and --database.`,
    );
  }
  if (!running) return startOwn(options);
  if (options.workers || options.items) {
    throw new UsageError('--workers and --items are for a service of its own, and one runs on DATA_DIR.');
  }
  return { ...running, isOwn: false, leave };
}

async function startOwn({ workers, items }: TargetOptions): Promise<Target> {
  console.log('No service runs on DATA_DIR: starting one …');
  const { dataDir, remove } = makeDataDir();
  const env = { ...(workers && { WORKERS: workers }), ...(items && { SALE_ITEMS: items }) };
  const service = await startService(dataDir, env);
  const leave = async () => {
    await service.stop();
    remove();
  };
  return { ...service, isOwn: true, leave };
}

/**
 * The sale that is named, or the active one. One that is not open for `needMs` more is refused; on a service of
 * our own a new one takes its place.
 */
export async function chooseSale(target: Target, saleId: string | undefined, needMs: number): Promise<Sale> {
  const sale = await findSale(target.url, saleId);
  if (!sale.active) {
    throw new UsageError(
      `the sale ${sale.id} is not open: it runs from ${sale.started_at} to ${sale.ended_at}.`,
    );
  }
  const leftMs = Date.parse(sale.ended_at) - Date.now();
  if (leftMs > needMs) return sale;
  if (target.isOwn) return createSale(target.url, sale.total_items, 10);
  const left = Math.round(leftMs / 1_000);
  throw new UsageError(
    `the sale ${sale.id} ends in ${left} s; wait for the next one, or name another with --sale.`,
  );
}
