/**
 * `npm run sellout`: users buy a whole sale over HTTP; then the books are compared from three sides.
 * Exit code 0: all sold, and the books agree; 1: they do not; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { settleBooks } from './books.ts';
import { EXIT, readCount, runCommand, UsageError } from './command.ts';
import { type Generated, generateIn, type OnProgress } from './generator.ts';
import { mergeRecord, newRecord } from './record.ts';
import { watchRedis } from './redis-work.ts';
import { createProgress, printReport } from './report.ts';
import { createSale, listItems, type Sale } from './shop.ts';
import { chooseSale, openTarget, TARGET_HELP, TARGET_OPTIONS, type Target, USER_LIMIT } from './target.ts';

const HELP = `npm run sellout -- [options]

Sells a whole sale to users who check out, purchase, and try again as a good
client would. Against the service that runs on DATA_DIR, or else against one of
its own that it starts and stops.

${TARGET_HELP}
  --users 10000            how many users there are; else one for each cart
  --items-per-user 1       how many items a user puts into a cart
  --connections 200        how many users are at work at one time
  --contention             all users fight for the same few items
  --generators 1           processes that play the users
  --sales 12               as many new sales, sold at the same time; says what
                           Redis took for a purchase, and where each sale was`;

/** A sale that ends sooner is refused. */
const NEED = { ms: 30_000, items: 1 };
/** How often to offer again what is left because a user gave up, or found it in another cart. */
const ROUNDS_MAX = 5;

function readOptions() {
  const { values } = parseArgs({
    options: {
      ...TARGET_OPTIONS,
      users: { type: 'string' },
      'items-per-user': { type: 'string' },
      connections: { type: 'string' },
      contention: { type: 'boolean', default: false },
      generators: { type: 'string' },
      sales: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  return values;
}

type Options = ReturnType<typeof readOptions>;

interface Selling {
  readonly sale: Sale;
  /** Of its users. */
  readonly prefix: string;
  readonly connections: number;
  readonly onProgress: OnProgress;
}

async function sellAll(target: Target, selling: Selling, options: Options): Promise<Generated> {
  const { sale, prefix, connections, onProgress } = selling;
  const itemsPerUser = readCount('items-per-user', options['items-per-user'], 1);
  const generators = readCount('generators', options.generators, 1);
  const { contention } = options;
  let all: Generated | undefined;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const items = await listItems(target.url, sale.id, true);
    if (items.length === 0) break;
    const users = readCount('users', options.users, Math.ceil(items.length / itemsPerUser));
    const crowd = { items, prefix: `${prefix}${round}-`, users, itemsPerUser, connections, contention };
    const soldBefore = sale.total_items - items.length;
    const part = await generateIn(
      generators,
      { url: target.url, saleId: sale.id, ...crowd },
      (sold, requests) => onProgress(soldBefore + sold, requests),
    );
    if (all) mergeRecord(all.record, part.record);
    else all = part;
  }
  if (all === undefined) throw new UsageError(`somebody else has bought all that was left of ${sale.id}.`);
  return all;
}

/** Sells them at the same time, and shows how far that is. */
async function sellSales(target: Target, sales: readonly Sale[], options: Options, prefix: string) {
  const progress = createProgress(sales.reduce((total, sale) => total + sale.total_items, 0));
  const connections = readCount('connections', options.connections, 200);
  const far = sales.map(() => [0, 0] as [sold: number, requests: number]);
  const sum = (i: 0 | 1) => far.reduce((total, each) => total + each[i], 0);
  const parts = await Promise.all(
    sales.map((sale, n) => {
      const onProgress = (sold: number, requests: number) => {
        far[n] = [sold, requests];
        progress.show(sum(0), sum(1));
      };
      const own = { prefix: `${prefix}${n}-`, connections: Math.ceil(connections / sales.length) };
      return sellAll(target, { sale, ...own, onProgress }, options);
    }),
  );
  progress.end();
  return parts;
}

async function sellSeveral(target: Target, options: Options, count: number): Promise<number> {
  const sales: Sale[] = [];
  for (let n = 0; n < count; n++)
    sales.push(await createSale(target.url, readCount('items', options.items, 1_000), USER_LIMIT));
  console.log(`Selling ${count} sales of ${sales[0]?.total_items} items at ${target.url}`);
  const redis = await watchRedis(target);
  const prefix = `u${Date.now().toString(36)}-`;
  const parts = await sellSales(target, sales, options, prefix);
  const all = newRecord();
  for (const { record } of parts) mergeRecord(all, record);
  // One process played them all, but where there are several generators.
  printReport(all, Math.max(...parts.map(({ cores }) => cores)));
  const ids = sales.map(({ id }) => id);
  const isInPlace = await redis.settle(ids, all.sold);
  const codes: number[] = [isInPlace ? EXIT.ok : EXIT.differs];
  for (const [n, { record }] of parts.entries())
    codes.push(
      await settleBooks({
        target,
        record,
        prefix: `${prefix}${n}-`,
        saleId: ids[n] as string,
        soldOut: true,
      }),
    );
  return Math.max(...codes);
}

async function sellOne(target: Target, options: Options): Promise<number> {
  const sale = await chooseSale(target, options, NEED);
  const left = sale.total_items - sale.items_sold;
  console.log(`Selling ${sale.id} (${left} of ${sale.total_items} items left) at ${target.url}`);
  const prefix = `u${Date.now().toString(36)}-`;
  const [part] = await sellSales(target, [sale], options, prefix);
  const { record, cores } = part as Generated;
  printReport(record, cores);
  return settleBooks({ target, record, prefix, saleId: sale.id, soldOut: true });
}

await runCommand('sellout', async () => {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const count = readCount('sales', options.sales, 1);
  if (options.sales !== undefined && options.sale !== undefined)
    throw new UsageError('--sales makes new sales; --sale names one.');
  const target = await openTarget(options);
  try {
    return options.sales === undefined
      ? await sellOne(target, options)
      : await sellSeveral(target, options, count);
  } finally {
    await target.leave();
  }
});
