/**
 * `npm run sellout`: users buy a whole sale over HTTP; then the books are compared from three sides.
 * Exit code 0: all sold, and the books agree; 1: they do not; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { settleBooks } from './books.ts';
import { EXIT, readCount, runCommand, UsageError } from './command.ts';
import { type Generated, generateIn } from './generator.ts';
import { mergeRecord } from './record.ts';
import { createProgress, printReport } from './report.ts';
import { listItems, type Sale } from './shop.ts';
import { chooseSale, openTarget, TARGET_HELP, TARGET_OPTIONS, type Target } from './target.ts';

const HELP = `npm run sellout -- [options]

Sells a whole sale to users who check out, purchase, and try again as a good
client would. Against the service that runs on DATA_DIR, or else against one of
its own that it starts and stops.

${TARGET_HELP}
  --users 10000            how many users there are; else one for each cart
  --items-per-user 1       how many items a user puts into a cart
  --connections 200        how many users are at work at one time
  --contention             all users fight for the same few items
  --generators 1           processes that play the users`;

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
      help: { type: 'boolean', short: 'h' },
    },
  });
  return values;
}

type Options = ReturnType<typeof readOptions>;

async function sellAll(target: Target, sale: Sale, options: Options, prefix: string): Promise<Generated> {
  const itemsPerUser = readCount('items-per-user', options['items-per-user'], 1);
  const connections = readCount('connections', options.connections, 200);
  const generators = readCount('generators', options.generators, 1);
  const { contention } = options;
  const progress = createProgress(sale.total_items);
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
      (sold, requests) => progress.show(soldBefore + sold, requests),
    );
    if (all) mergeRecord(all.record, part.record);
    else all = part;
  }
  progress.end();
  if (all === undefined) throw new UsageError(`somebody else has bought all that was left of ${sale.id}.`);
  return all;
}

await runCommand('sellout', async () => {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const target = await openTarget(options);
  try {
    const sale = await chooseSale(target, options, NEED);
    const left = sale.total_items - sale.items_sold;
    console.log(`Selling ${sale.id} (${left} of ${sale.total_items} items left) at ${target.url}`);
    const prefix = `u${Date.now().toString(36)}-`;
    const { record, cores } = await sellAll(target, sale, options, prefix);
    printReport(record, cores);
    return await settleBooks({ target, record, prefix, saleId: sale.id, soldOut: true });
  } finally {
    await target.leave();
  }
});
