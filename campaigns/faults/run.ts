import { cpSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { audit } from './audit.ts';
import { check, type Rules, type Violation } from './checker.ts';
import { checkLogs } from './checker-log.ts';
import { sellOut, startLoad } from './clients.ts';
import { countWaiting, type Dump, dumpSale, listUnsold } from './dumps.ts';
import type { Fault, FaultContext } from './faults.ts';
import { createHistory, entriesOf, type History, writeHistory } from './history.ts';
import { call, newAgent, parseBody } from './http.ts';
import { purchase, type Target } from './operations.ts';
import { seeded } from './random.ts';
import { type Stand, until } from './stand.ts';
import { type Summary, summarize } from './summary.ts';

export interface RunOptions {
  readonly stand: Stand;
  readonly fault: Fault;
  readonly seed: number;
  readonly items: number;
  readonly clients: number;
  readonly full: boolean;
}

export interface RunResult extends Summary {
  readonly fault: string;
  readonly seed: number;
  readonly items: number;
  readonly violations: readonly Violation[];
  /** Times that the fault measured, in ms. */
  readonly measures: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  /** Where the history and the dump of a violation are kept. */
  readonly folder: string | undefined;
}

const LIMIT = 4;
/** Longest pause of a client: a sale of some hundred items then lasts for some seconds. */
const THINK_MS = 150;
const READY_MS = 20_000;
const SELL_OUT_MS = 20_000;
const DRAIN_MS = 12_000;

/** One run: load, fault, heal, sell what is left, check. */
export async function runOnce(options: RunOptions): Promise<RunResult> {
  const { stand, fault, seed } = options;
  const history = createHistory();
  const violations: Violation[] = [];
  const measures: Record<string, number> = {};
  const counts: Record<string, number> = {};
  let clockAt = 0;
  let dump: Dump | undefined;
  let saleId = '';
  try {
    saleId = await createSale(stand, options.items);
    const target: Target = {
      urls: stand.urls,
      saleId,
      runId: `r${seed}-${saleId.slice(2)}`,
      history,
      ...(fault.proofOf && { proofOf: fault.proofOf }),
    };
    const items = await listUnsold(stand.direct().databaseUrl, saleId);
    const context: FaultContext = {
      stand,
      random: seeded(seed),
      target,
      items,
      full: options.full,
      mark: history.mark,
      clock: () => {
        clockAt = history.now();
      },
      measure: (name, ms) => {
        measures[name] = Math.max(measures[name] ?? 0, ms);
      },
      count: (name, n) => {
        counts[name] = (counts[name] ?? 0) + n;
      },
      violate: (kind, detail) => void violations.push({ kind, detail }),
    };
    await harm(options, context);
    await finish(stand, target);
    dump = await dumpSale(await stand.directOf(saleId), saleId);
    violations.push(...(await audit(await stand.directOf(saleId), saleId)));
    await askLate(target);
  } catch (error) {
    violations.push({ kind: 'service-broken', detail: (error as Error).message });
  }
  const rules: Rules = {
    losesRedis: fault.losesRedis ?? false,
    losesLog: fault.losesLog ?? false,
    noFailures: fault.noFailures ?? false,
    resolveMs: 10_000,
  };
  if (dump) violations.push(...check(history.lines, dump, rules));
  violations.push(...checkLogs(logsOf(stand), saleId, rules));
  const folder =
    violations.length > 0 || process.env.FAULTS_KEEP ? keep(options, history, dump, violations) : undefined;
  const summary = summarize(history.lines, clockAt);
  return { fault: fault.name, seed, items: options.items, violations, measures, counts, folder, ...summary };
}

/** Load, with the fault in the middle of it. */
async function harm(options: RunOptions, context: FaultContext): Promise<void> {
  const { target, items, random, mark, stand } = context;
  let healedAt: number | undefined;
  const { clients, seed } = options;
  const load = startLoad({ target, items, clients, thinkMs: THINK_MS, seed, healedAt: () => healedAt });
  try {
    await sleep(random.between(300, 900));
    context.clock();
    mark('fault');
    await options.fault.inject(context);
    mark('healed');
    healedAt = target.history.now();
    await sleep(1_000);
    await untilReady(stand);
    mark('ready');
  } finally {
    await load.stop();
  }
}

export async function isReady(stand: Stand): Promise<boolean> {
  const agent = newAgent(1);
  const replies = await Promise.all(stand.urls().map((url) => call(agent, `${url}/readyz`)));
  agent.destroy();
  return replies.every(({ status }) => status === 200);
}

/** Resolves when every service of a stand is ready; rejects when that takes too long. */
export const untilReady = (stand: Stand): Promise<void> =>
  until(() => isReady(stand), 'every service is ready', READY_MS);

/** Makes a sale that has begun, when every service is ready. Returns its id. */
export async function createSale(stand: Stand, total: number, endsInMs = 300_000): Promise<string> {
  const agent = newAgent(1);
  await untilReady(stand);
  const now = Date.now();
  const time = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z');
  const reply = await call(agent, `${stand.urls()[0]}/admin/sales`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      total_items: total,
      user_limit: LIMIT,
      started_at: time(now - 2_000),
      ended_at: time(now + endsInMs),
    }),
    patienceMs: 30_000,
  });
  agent.destroy();
  if (reply.status !== 201)
    throw new Error(`no sale could be made: ${reply.status} ${reply.error} ${reply.body}`);
  return (parseBody(reply).data as { id: string }).id;
}

/** Sells what is left and waits until nothing is in flight. The checker reports what does not arrive. */
export async function finish(stand: Stand, target: Target): Promise<void> {
  target.history.mark('sell out');
  const list = () => listUnsold(stand.direct().databaseUrl, target.saleId);
  await sellOut(target, list, LIMIT, SELL_OUT_MS);
  const isEmpty = async () =>
    spoolBytes(stand) === 0 && (await countWaiting(await stand.directOf(target.saleId), target.saleId)) === 0;
  // Looked at twice, with time for a segment that was between two names.
  const isDrained = async () => (await isEmpty()) && (await sleep(300, true)) && (await isEmpty());
  await until(isDrained, 'outbox and spool are drained', DRAIN_MS).catch(() =>
    target.history.mark('not drained'),
  );
  target.history.mark('dump');
}

function spoolBytes(stand: Stand): number {
  let bytes = 0;
  for (const { dataDir } of stand.services) {
    const dir = join(dataDir, 'spool');
    // A segment that is being renamed or shipped counts as present; look again.
    for (const name of readdirSync(dir))
      bytes += statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 1;
  }
  return bytes;
}

/** Posts every code whose client walked away without an outcome once more. */
export async function askLate(target: Target): Promise<void> {
  const open = new Map<string, string>();
  for (const { does, type, code, user } of entriesOf(target.history.lines)) {
    if (does !== 'purchase' || code === undefined) continue;
    if (type === 'ok') open.set(code, '');
    else if (open.get(code) !== '') open.set(code, user);
  }
  const agent = newAgent(8);
  await Promise.all([...open].map(([code, user]) => user && purchase(target, agent, user, code)));
  agent.destroy();
}

export const logsOf = ({ services }: Stand): string[] =>
  services.map(({ dataDir }) => join(dataDir, 'service.log'));

/** Keeps the evidence: history, dump, and the services' own logs. */
function keep(
  { fault, seed, stand }: RunOptions,
  history: History,
  dump: Dump | undefined,
  found: readonly Violation[],
): string {
  const parent = process.env.FAULTS_DIR ?? join(tmpdir(), 'flashsale-violations');
  const folder = join(parent, `${fault.name}-${seed}-${Date.now()}`);
  mkdirSync(folder, { recursive: true });
  writeHistory(join(folder, 'history.jsonl'), history.lines);
  writeFileSync(join(folder, 'dump.json'), JSON.stringify(dump ?? null, null, 1));
  writeFileSync(
    join(folder, 'violations.txt'),
    found.map(({ kind, detail }) => `${kind}: ${detail}\n`).join(''),
  );
  for (const [n, log] of logsOf(stand).entries()) cpSync(log, join(folder, `service-${n + 1}.log`));
  return folder;
}
