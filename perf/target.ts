/** Which service a command works on, and which of its sales. */
import { readCount, runningService, UsageError } from './command.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale, findActiveSale, findSale, type Sale } from './shop.ts';

/** Options that name a service, for parseArgs. */
export const SERVICE_OPTIONS = {
  url: { type: 'string' },
  redis: { type: 'string' },
  database: { type: 'string' },
} as const;

/** Options that sellout and load share. */
export const TARGET_OPTIONS = {
  ...SERVICE_OPTIONS,
  sale: { type: 'string' },
  workers: { type: 'string' },
  items: { type: 'string' },
} as const;

export const SERVICE_HELP = `  --url http://…           this service; with --redis and --database, unless it
                           runs on DATA_DIR`;

export const TARGET_HELP = `${SERVICE_HELP}
  --sale S-…               this sale, instead of the active one, or of a new one
                           where that is sold out or about to end
  --items N                a new sale of so many items
  --workers N              worker processes of a service of its own`;

export type TargetOptions = Partial<Record<keyof typeof TARGET_OPTIONS, string>>;

export interface Target {
  readonly url: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Of its primary, where it is known. */
  readonly pid?: number;
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
  if (options.workers)
    throw new UsageError('--workers is for a service of its own, and one runs on DATA_DIR.');
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

/** What a command needs of a sale. */
export interface Need {
  /** It stays open for so long. */
  readonly ms: number;
  /** So many of its items are left. */
  readonly items: number;
}

/** Items of a new sale where no active one tells how large sales are. */
const ITEMS = 10_000;
export const USER_LIMIT = 10;

/**
 * The sale that is named; or else the active one, and a new one where that does not do or a size is given. Throws a
 * UsageError when the one that is named does not do, or none can be made.
 */
export async function chooseSale(target: Target, options: TargetOptions, need: Need): Promise<Sale> {
  if (options.sale !== undefined) {
    const named = await findSale(target.url, options.sale);
    // Who names one knows how small it is.
    const fault = faultOf(named, { ...need, items: 1 });
    if (fault)
      throw new UsageError(`the sale ${named.id} ${fault}; without --sale another is taken, or made.`);
    return named;
  }
  const active = await findActiveSale(target.url);
  // The sales of a service of our own have the size that was asked for.
  const size = target.isOwn ? undefined : options.items;
  const fault = active && faultOf(active, need);
  if (active && !fault && size === undefined) return active;
  if (size === undefined)
    console.log(active ? `The active sale ${fault}: making a new one …` : 'No sale is active: making one …');
  const items =
    size === undefined ? Math.max(active?.total_items ?? ITEMS, need.items) : readCount('items', size, ITEMS);
  return createSale(target.url, items, USER_LIMIT);
}

/** Why a sale does not do; undefined when it does. */
function faultOf(sale: Sale, need: Need): string | undefined {
  if (!sale.active) return `is not open: it runs from ${sale.started_at} to ${sale.ended_at}`;
  const leftMs = Date.parse(sale.ended_at) - Date.now();
  if (leftMs <= need.ms) return `ends in ${Math.round(leftMs / 1_000)} s`;
  const left = sale.total_items - sale.items_sold;
  if (left === 0) return 'is sold out';
  return left < need.items ? `has ${left} items left` : undefined;
}
