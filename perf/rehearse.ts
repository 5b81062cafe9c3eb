/**
 * `npm run rehearse`: the evening's sale, played beforehand on the service that will carry it: sales of its own, one after the
 * other, each sold out by a crowd and ended. Exit code 0: all sold, and the books agree; 1: they do not; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { compareBooks } from './books.ts';
import { EXIT, openStores, printTable, readCount, runCommand, UsageError } from './command.ts';
import type { RecordData } from './record.ts';
import { type SellOut, sellOut } from './sell-out.ts';
import { createSale, endSale, findSale } from './shop.ts';
import { openTarget, SERVICE_HELP, SERVICE_OPTIONS, type Target, USER_LIMIT } from './target.ts';
import { ROLES } from './usage.ts';

const HELP = `npm run rehearse -- [options]

Plays the sale of the evening on the service that will carry it: sales of its
own, one after the other, each sold out by a crowd of buyers and then ended. It
says how fast each was and what was busy, compares the books, and leaves the
service warm. Without one that runs on DATA_DIR it starts one.

${SERVICE_HELP}
  --times 5                sales
  --items 10000            items of each; each is bought by a buyer of its own
  --connections 200        buyers who are at work at one time`;

const OPTIONS = {
  ...SERVICE_OPTIONS,
  times: { type: 'string' },
  items: { type: 'string' },
  connections: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Sell-outs of one service differ by as much. */
const AS_FAST = 0.9;

interface Rehearsal extends SellOut {
  /** One sentence for each thing that does not balance. */
  readonly differences: readonly string[];
}

async function rehearse(target: Target, items: number, connections: number): Promise<Rehearsal> {
  const { id: saleId } = await createSale(target.url, items, USER_LIMIT);
  const prefix = `rehearsal-${saleId}-`;
  const { figures, record } = await sellOut(target, { saleId, prefix, connections });
  requireNoProof(record);
  const sale = await findSale(target.url, saleId);
  const stores = await openStores(target);
  const differences = await compareBooks({ stores, record, prefix, sale, soldOut: true }).finally(
    stores.close,
  );
  await endSale(target.url, saleId);
  return { ...figures, differences };
}

/** A crowd without tokens buys nothing where buyers must prove who they are. */
function requireNoProof({ statuses, sold }: RecordData): void {
  const isRefused = [...statuses.keys()].some((status) => status.startsWith('checkout 401'));
  if (isRefused && sold === 0)
    throw new UsageError(
      'the service asks buyers for tokens, and this crowd has none: rehearse without BUYER_SECRET and BUYER_JWKS.',
    );
}

const ms = (value: number) => `${value.toFixed(1)} ms`;

/** `isLocal`: the service runs on this box, and its CPU is known. */
function print(all: readonly Rehearsal[], isLocal: boolean): void {
  const roles = isLocal ? ROLES : [];
  const head = ['sale', 'sold', 'in', 'requests/s', 'checkout p50, p99', 'purchase p50, p99', 'cores busy'];
  console.log(`\nCores busy: ${[...roles, 'generator'].join(' + ')}.\n`);
  printTable([
    head,
    ...all.map(({ sold, seconds, perSecond, checkout, purchase, cpuUs, cores }, n) => [
      String(n + 1),
      sold,
      `${seconds.toFixed(2)} s`,
      Math.round(perSecond),
      `${ms(checkout.p50Ms)}, ${ms(checkout.p99Ms)}`,
      `${ms(purchase.p50Ms)}, ${ms(purchase.p99Ms)}`,
      [...roles.map((role) => (cpuUs[role] * perSecond) / 1e6), cores]
        .map((busy) => busy.toFixed(2))
        .join(' + '),
    ]),
  ]);
  const [first, last] = [all[0], all.at(-1)];
  if (first && last && all.length > 1) console.log(`\n${warmth(last.seconds / first.seconds)}`);
}

/** What the speed of the first sale says, as a share of the last one's. */
const warmth = (share: number): string =>
  share < AS_FAST
    ? `The first sale ran at ${share.toFixed(2)} of the last one's speed: node had not compiled all of the code yet. It has now, until a restart.`
    : 'The first sale was as fast as the last one: the service is warm.';

await runCommand('rehearse', async () => {
  const { help, times, items, connections, ...service } = parseArgs({ options: OPTIONS }).values;
  if (help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const count = readCount('times', times, 5);
  const size = readCount('items', items, 10_000);
  const buyers = readCount('connections', connections, 200);
  const target = await openTarget(service);
  try {
    console.log(`Rehearsing ${count} sales of ${size.toLocaleString('en')} items at ${target.url} …`);
    const all: Rehearsal[] = [];
    while (all.length < count) all.push(await rehearse(target, size, buyers));
    print(all, target.pid !== undefined);
    const differences = all.flatMap((each) => each.differences);
    for (const difference of differences.slice(0, 20)) console.log(`  ${difference}.`);
    console.log(
      differences.length === 0
        ? 'The books of every sale agree: clients, Redis and Postgres.'
        : `The books differ (${differences.length}).`,
    );
    return differences.length === 0 ? EXIT.ok : EXIT.differs;
  } finally {
    await target.leave();
  }
});
