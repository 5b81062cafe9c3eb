import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareBooks } from '../../perf/books.ts';
import { openStores, type Stores } from '../../perf/command.ts';
import { makeDataDir, type OwnService, startService } from '../../perf/service.ts';
import { createSale, findSale, listItems } from '../../perf/shop.ts';
import { type Bystanders, disturbances, type Latency, sendBystanders } from './bystander.ts';
import { type MalformedResult, sendMalformed } from './malformed.ts';
import { SMUGGLED } from './malformed-requests.ts';
import { type SlowResult, sendSlow } from './slow.ts';
import { compareWorkers, readWorkers } from './workers.ts';

export interface CampaignOptions {
  /** How many malformed requests; 0: none. */
  readonly malformed: number;
  /** How many slow clients; 0: none. */
  readonly slow: number;
  readonly seed: number;
  /** Both at once, and only the slow clients that must be closed soonest. */
  readonly brief?: boolean;
  readonly say: (line: string) => void;
}

const WORKERS = 2;
const ITEMS = 20_000;
const BYSTANDERS = 8;
const ALONE_MS = 2_000;
const PREFIX = 'bystander-';
/** Attempts are in Postgres some two seconds after they were made. */
const SHIPPED_MS = 3_000;

/** Attacks a service of its own while customers shop there; returns one sentence for each promise that was broken. */
export async function harden(options: CampaignOptions): Promise<string[]> {
  const token = `token-${randomUUID()}`;
  // The tools that create the sale read it from here, too.
  process.env.ADMIN_TOKEN = token;
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, {
    WORKERS: String(WORKERS),
    SALE_ITEMS: '10',
    ADMIN_TOKEN: token,
  });
  try {
    const violations = await attackAll(service, token, options);
    await service.stop();
    return [...violations, ...readLog(dataDir, token)];
  } finally {
    await service.stop();
    remove();
  }
}

async function attackAll(service: OwnService, token: string, options: CampaignOptions): Promise<string[]> {
  const { url } = service;
  const { say } = options;
  const { id: saleId } = await createSale(url, ITEMS, 10);
  const items = await listItems(url, saleId, true);
  const stores = await openStores(service);
  try {
    const bystanders = sendBystanders(url, saleId, items, { prefix: PREFIX, count: BYSTANDERS });
    await sleep(ALONE_MS);
    say(`bystanders alone: ${textOf(bystanders.latency())}`);
    const attack = { url, requests: options.malformed, seed: options.seed, item: items.at(-1) as string };
    // Warm up first: a heap grows with its first work.
    const warmUp = await sendMalformed({ ...attack, requests: options.malformed / 10, seed: -options.seed });
    const before = await readWorkers(url, WORKERS);
    const violations = [...warmUp.violations];
    const garble = async () => {
      if (options.malformed === 0) return;
      const result = await sendMalformed(attack);
      tellMalformed(result, options, bystanders);
      violations.push(...result.violations);
    };
    const dawdle = async () => {
      if (options.slow === 0) return;
      const result = await sendSlow({
        url,
        clients: options.slow,
        saleId,
        token,
        brief: options.brief ?? false,
      });
      violations.push(...tellSlow(result, say, bystanders));
    };
    if (options.brief) await Promise.all([garble(), dawdle()]);
    else {
      await garble();
      await dawdle();
    }
    await bystanders.leave();
    violations.push(...disturbances(bystanders.record), ...(await compareWorkers(url, before)));
    violations.push(...(await compareStores(stores, url, saleId, bystanders)));
    return violations;
  } finally {
    await stores.close();
  }
}

function tellMalformed(
  { outcomes }: MalformedResult,
  options: CampaignOptions,
  bystanders: Bystanders,
): void {
  options.say(`${options.malformed} malformed requests from seed ${options.seed}: ${outcomes.text()}`);
  options.say(`bystanders meanwhile: ${textOf(bystanders.latency())}`);
}

function tellSlow(
  results: readonly SlowResult[],
  say: CampaignOptions['say'],
  bystanders: Bystanders,
): string[] {
  for (const { kind, clients, lastMs } of results)
    say(
      `${clients} × ${kind}: ${lastMs === undefined ? 'not closed in time' : `closed, the last after ${(lastMs / 1_000).toFixed(1)} s`}`,
    );
  say(`bystanders meanwhile: ${textOf(bystanders.latency())}`);
  return results
    .filter(({ lastMs }) => lastMs === undefined)
    .map(({ kind }) => `slow clients were not closed in time: ${kind}`);
}

const textOf = ({ requests, p50Ms, p99Ms }: Latency) =>
  `${requests} requests, p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;

async function compareStores(
  stores: Stores,
  url: string,
  saleId: string,
  { record }: Bystanders,
): Promise<string[]> {
  await sleep(SHIPPED_MS);
  const sale = await findSale(url, saleId);
  const differences = await compareBooks({ stores, record, prefix: PREFIX, sale, soldOut: false });
  if (sale.items_sold !== record.sold)
    differences.push(`${record.sold} items were bought, and ${sale.items_sold} are sold`);
  const text = 'select count(*)::int as n from checkout_attempts where user_id = $1';
  const [row] = await stores.postgres.query({ name: '', text }, [SMUGGLED]);
  if (row?.n !== 0) differences.push(`${row?.n} requests hidden in others were served`);
  return differences;
}

/** The service's log may hold neither the admin's token nor a whole checkout code, nor an error of its own. */
export function readLog(dataDir: string, token: string): string[] {
  const log = readFileSync(join(dataDir, 'service.log'), 'utf8');
  const found = log
    .split('\n')
    .filter((line) => /"level":"(error|fatal)"/.test(line))
    .slice(0, 5);
  if (log.includes(token)) found.push('the admin token is in the log');
  const code = /CHK-S-[0-9a-f]{10}-[0-9a-f]{32}/.exec(log)?.[0];
  if (code !== undefined) found.push(`a checkout code is in the log: ${code}`);
  return found;
}
