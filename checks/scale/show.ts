import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from '../../campaigns/faults/audit.ts';
import { check, type Rules, type Violation } from '../../campaigns/faults/checker.ts';
import { checkLogs } from '../../campaigns/faults/checker-log.ts';
import { startLoad } from '../../campaigns/faults/clients.ts';
import { dumpSale, listUnsold } from '../../campaigns/faults/dumps.ts';
import type { Fault, FaultContext } from '../../campaigns/faults/faults.ts';
import { createHistory, entriesOf } from '../../campaigns/faults/history.ts';
import type { Reply } from '../../campaigns/faults/http.ts';
import type { Target } from '../../campaigns/faults/operations.ts';
import { seeded } from '../../campaigns/faults/random.ts';
import { askLate, createSale, finish, isReady, logsOf } from '../../campaigns/faults/run.ts';
import { until } from '../../campaigns/faults/until.ts';
import type { Stage } from './stage.ts';

const SALES = 12;
const ITEMS = 300;
/** Of each sale; they buy from all sales through all faults, and find some items left at the end. */
const CLIENTS = 3;
const THINK_MS = 2_500;
const SALE_MS = 600_000;
const READY_MS = 30_000;
/** Time to sell between two faults. */
const CALM_MS = 2_500;
const RULES: Rules = { losesRedis: true, losesLog: false, noFailures: false, resolveMs: 10_000 };

/** What the balancer says by itself has no path in it: the service behind it gave no answer. */
const heard = (reply: Reply): Reply =>
  reply.status === 503 && reply.body.includes('"instance":""')
    ? { ...reply, status: 0, error: 'ECONNRESET' }
    : reply;

interface Selling {
  readonly target: Target;
  readonly items: readonly string[];
  stop(): Promise<void>;
}

/** Twelve sales at a time, bought from through the balancer while these faults come one after the other; then the books of each. */
export async function sellThrough(stage: Stage, faults: readonly Fault[], seed = Date.now() % 100_000) {
  const { stand } = stage;
  console.log(`seed ${seed}`);
  const selling = await openSales(stage, seed);
  const violations: Violation[] = [];
  for (const [n, fault] of faults.entries()) {
    await sleep(CALM_MS);
    const soldBefore = await countSold(stage, selling);
    violations.push(...(await injectInto(stage, selling, fault, seed + n)));
    await until(() => isReady(stand), `both boxes are ready after ${fault.name}`, READY_MS);
    console.log(`  sold before it ${soldBefore}, since ${(await countSold(stage, selling)) - soldBefore}`);
  }
  await sleep(CALM_MS);
  await Promise.all(selling.map(({ stop }) => stop()));
  await Promise.all(selling.map(({ target }) => finish(stand, target)));
  for (const { target } of selling) violations.push(...(await checkSale(stage, target)));
  const total = await countSold(stage, selling);
  const ops = selling.reduce((sum, { target }) => sum + entriesOf(target.history.lines).length / 2, 0);
  console.log(
    `${total} of ${SALES * ITEMS} sold, ${Math.round(ops)} requests, ${violations.length} violations`,
  );
  assert.deepEqual(violations, []);
  assert.equal(total, SALES * ITEMS);
}

async function openSales({ stand, url }: Stage, seed: number): Promise<Selling[]> {
  const selling: Selling[] = [];
  for (let n = 0; n < SALES; n++) {
    const saleId = await createSale(stand, ITEMS, SALE_MS);
    const history = createHistory();
    const target: Target = {
      ...{ saleId, history, heard, urls: () => [url], runId: `r${seed}-${saleId.slice(2)}` },
    };
    const items = await listUnsold(stand.direct().databaseUrl, saleId);
    const load = startLoad({
      ...{ target, items, clients: CLIENTS, thinkMs: THINK_MS, seed: seed + n },
      healedAt: () => undefined,
    });
    selling.push({ target, items, stop: load.stop });
  }
  return selling;
}

/** Injects a fault, and prints how long requests of any sale failed. */
async function injectInto(
  stage: Stage,
  selling: readonly Selling[],
  fault: Fault,
  seed: number,
): Promise<Violation[]> {
  const random = seeded(seed);
  const { target, items } = random.pick(selling);
  const violations: Violation[] = [];
  const measures: string[] = [];
  const starts = () => selling.map(({ target: { history } }) => history.now());
  let from = starts();
  const context: FaultContext = {
    ...{ stand: stage.stand, random, target, items, full: false, mark: () => {} },
    clock: () => {
      from = starts();
    },
    measure: (name, ms) => void measures.push(`${name} after ${ms} ms`),
    count: () => {},
    violate: (kind, detail) => void violations.push({ kind, detail }),
  };
  await fault.inject(context);
  await sleep(CALM_MS);
  const failed = selling.flatMap(({ target: { history } }, n) =>
    entriesOf(history.lines)
      .filter(({ type, t }) => (type === 'fail' || type === 'unknown') && t > (from[n] as number))
      .map(({ t }) => t - (from[n] as number)),
  );
  const last = Math.round(Math.max(0, ...failed));
  console.log(
    `${[fault.name, ...measures].join(', ')}; ${failed.length} requests failed, the last after ${last} ms`,
  );
  return violations;
}

/** Committed purchases of all sales. */
async function countSold({ stand }: Stage, selling: readonly Selling[]): Promise<number> {
  const left = await Promise.all(
    selling.map(({ target }) => listUnsold(stand.direct().databaseUrl, target.saleId)),
  );
  return SALES * ITEMS - left.flat().length;
}

async function checkSale({ stand }: Stage, target: Target): Promise<Violation[]> {
  const urls = await stand.directOf(target.saleId);
  const dump = await dumpSale(urls, target.saleId);
  const differences = await audit(urls, target.saleId);
  await askLate(target);
  return [
    ...differences,
    ...check(target.history.lines, dump, RULES),
    ...checkLogs(logsOf(stand), target.saleId, RULES),
  ];
}
