/**
 * `npm run rehearse`: the evening's sale, played beforehand on the service that will carry it: sales of its own, one after the
 * other, each sold out by a crowd and ended. Exit code 0: all sold, and the books agree; 1: they do not; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { compareBooks } from './books.ts';
import { latenciesOf } from './cases.ts';
import { EXIT, openStores, printTable, readCount, runCommand, UsageError } from './command.ts';
import { generate } from './generator.ts';
import type { RecordData } from './record.ts';
import { createSale, endSale, findSale, listItems } from './shop.ts';
import { openTarget, type Target, USER_LIMIT } from './target.ts';
import { type CpuByRole, cpuOfTree, ROLES } from './usage.ts';

const HELP = `npm run rehearse -- [options]

Plays the sale of the evening on the service that will carry it: sales of its
own, one after the other, each sold out by a crowd of buyers and then ended. It
says how fast each was and what was busy, compares the books, and leaves the
service warm. Without one that runs on DATA_DIR it starts one.

  --url http://…           this service; with --redis and --database, unless it
                           runs on DATA_DIR
  --times 5                sales
  --items 10000            items of each; each is bought by a buyer of its own
  --connections 200        buyers who are at work at one time`;

const OPTIONS = {
  url: { type: 'string' },
  redis: { type: 'string' },
  database: { type: 'string' },
  times: { type: 'string' },
  items: { type: 'string' },
  connections: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Sell-outs of one service differ by as much. */
const AS_FAST = 0.9;

interface Rehearsal {
  readonly seconds: number;
  readonly record: RecordData;
  /** Cores that were busy: what runs on this box under the service, and the generator of this process. */
  readonly cores: CpuByRole & { readonly generator: number };
  /** One sentence for each thing that does not balance. */
  readonly differences: readonly string[];
}

async function rehearse(target: Target, items: number, connections: number): Promise<Rehearsal> {
  const { id } = await createSale(target.url, items, USER_LIMIT);
  const prefix = `rehearsal-${id}-`;
  const ids = await listItems(target.url, id, true);
  const crowd = { items: ids, prefix, users: ids.length, itemsPerUser: 1, connections, contention: false };
  const before = target.pid === undefined ? undefined : cpuOfTree(target.pid);
  const beganMs = performance.now();
  const { record, cores } = await generate({ url: target.url, saleId: id, ...crowd }, () => {});
  const wallUs = (performance.now() - beganMs) * 1_000;
  const after = target.pid === undefined ? undefined : cpuOfTree(target.pid);
  const coresOf = (role: keyof CpuByRole) => (after && before ? (after[role] - before[role]) / wallUs : 0);
  requireNoProof(record);
  const sale = await findSale(target.url, id);
  const stores = await openStores(target);
  const differences = await compareBooks({ stores, record, prefix, sale, soldOut: true }).finally(
    stores.close,
  );
  await endSale(target.url, id);
  return {
    seconds: (record.lastMs - record.firstMs) / 1_000,
    record,
    cores: {
      primary: coresOf('primary'),
      workers: coresOf('workers'),
      redis: coresOf('redis'),
      postgres: coresOf('postgres'),
      generator: cores,
    },
    differences,
  };
}

/** A crowd without tokens buys nothing where buyers must prove who they are. */
function requireNoProof({ statuses, sold }: RecordData): void {
  const isRefused = [...statuses.keys()].some((status) => status.startsWith('checkout 401'));
  if (isRefused && sold === 0)
    throw new UsageError(
      'the service asks buyers for tokens, and this crowd has none: rehearse with BUYER_SECRET, BUYER_JWKS unset.',
    );
}

const ms = (value: number) => `${value.toFixed(1)} ms`;

function print(all: readonly Rehearsal[]): void {
  const isLocal = all.some(({ cores }) => cores.workers > 0);
  const busy = [...(isLocal ? ROLES : []), 'generator'] as const;
  const head = ['sale', 'sold', 'in', 'requests/s', 'checkout p50, p99', 'purchase p50, p99', 'cores busy'];
  console.log(`\nCores busy: ${busy.join(' + ')}.\n`);
  printTable([
    head,
    ...all.map(({ record, seconds, cores }, n) => {
      const { checkout, purchase } = latenciesOf(record);
      return [
        String(n + 1),
        record.sold,
        `${seconds.toFixed(2)} s`,
        Math.round(record.requests / seconds),
        `${ms(checkout.p50Ms)}, ${ms(checkout.p99Ms)}`,
        `${ms(purchase.p50Ms)}, ${ms(purchase.p99Ms)}`,
        busy.map((role) => cores[role].toFixed(2)).join(' + '),
      ];
    }),
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
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const times = readCount('times', values.times, 5);
  const items = readCount('items', values.items, 10_000);
  const connections = readCount('connections', values.connections, 200);
  const { url, redis, database } = values;
  const target = await openTarget({
    ...(url !== undefined && { url }),
    ...(redis !== undefined && { redis }),
    ...(database !== undefined && { database }),
  });
  try {
    console.log(`Rehearsing ${times} sales of ${items.toLocaleString('en')} items at ${target.url} …`);
    const all: Rehearsal[] = [];
    while (all.length < times) all.push(await rehearse(target, items, connections));
    print(all);
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
