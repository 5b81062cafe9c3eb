/**
 * `npm run check -- monitoring`: the configuration by promtool and amtool, then a real service under a crowd, scraped by a real
 * Prometheus, that answers every query of the dashboard and of the rules; then faults, the alerts that belong to them, and
 * whom a real Alertmanager tells.
 * Exit code 0: all holds; 1: something does not; 2: it could not be tried. Some 80 s, in which it uses 50 s of CPU.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openReceiver, SECRET } from '../../campaigns/faults/receiver.ts';
import { EXIT, printTable } from '../../perf/command.ts';
import { makeDataDir, startService } from '../../perf/service.ts';
import { ALERTMANAGER_CONFIG, type Alertmanager, startAlertmanager, wrongPages } from './alertmanager.ts';
import { watchAlerts } from './alerts.ts';
import { askAll, askAudited, EMPTY, type Finding, OF_AUDIT } from './asked.ts';
import { askInTurn, askRarely, killWorker, letInCrowd, pauseRedis } from './crowd.ts';
import { CONFIG_DIR, type Prometheus, startPrometheus } from './prometheus.ts';
import { dashboardQueries, documentedNames } from './queries.ts';
import { findTools, NoPrometheus, type Tools } from './tools.ts';

const HOUR_MS = 3_600_000;
/** The hourly sale must stay open for the whole check. */
const NEEDED_MS = 100_000;
/** The first audit is a minute after the start. */
const AUDITED_MS = 64_000;
/** A busy machine audits later, and Redis was away. */
const AUDITED_LATE_MS = 60_000;
/** Of a query, in the table. */
const WIDTH = 70;
const PAUSE_MS = 8_000;
/** Prometheus tells an Alertmanager of an end at once, and that waits for a second before it tells anybody. */
const TOLD_MS = 5_000;

/** Alerts that the faults must trigger, and those that would be false. */
const DUE = ['WorkerDied', 'RedisAway', 'PurchasesFail', 'CheckoutsFail'];
const LIES = ['BooksDiffer', 'PostgresAway', 'InternalErrors', 'NothingSells', 'SaleGateShut', 'NoOpenSale'];

const problems: string[] = [];
const complain = (problem: string) => void problems.push(problem);

function checkConfiguration({ promtool, amtool }: Tools): void {
  const tests = readdirSync(join(CONFIG_DIR, 'tests')).map((name) => join(CONFIG_DIR, 'tests', name));
  const rules = readdirSync(join(CONFIG_DIR, 'rules')).map((name) => join(CONFIG_DIR, 'rules', name));
  const runs: [program: string, ...args: string[]][] = [
    [promtool, 'check', 'config', join(CONFIG_DIR, 'prometheus.yml')],
    [promtool, 'check', 'rules', ...rules],
    [promtool, 'test', 'rules', ...tests],
    [amtool, 'check-config', ALERTMANAGER_CONFIG],
  ];
  for (const [program, ...args] of runs) {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
    const name = `${basename(program)} ${args[0]} ${basename(args[1] as string)}`;
    console.log(`${name}: ${status === 0 ? 'ok' : 'FAILED'}`);
    if (status !== 0) complain(`${name}:\n${stdout}${stderr}`);
  }
}

/** The crowd, and while its last requests are fresh: every query, every selector, every rule, every alert. */
async function checkHealthy(prometheus: Prometheus, dataDir: string, url: string): Promise<void> {
  const crowd = letInCrowd(dataDir, 12);
  await sleep(6_000);
  await askRarely(url);
  await askInTurn(url);
  const { code, said } = await crowd;
  if (code !== 0) complain(`the crowd left with ${code}:\n${said}`);
  await sleep(2_000);

  show('healthy, under a crowd', await askAll(prometheus, EMPTY.healthy));
  const rules = await prometheus.rules();
  for (const { name, health, lastError } of rules)
    if (health !== 'ok') complain(`the rule ${name} is ${health}: ${lastError}`);
  for (const { name } of rules.filter(({ state }) => state === 'firing'))
    complain(`${name} fires on a healthy service`);
}

async function checkFaults(
  prometheus: Prometheus,
  alertmanager: Alertmanager,
  dataDir: string,
  url: string,
): Promise<void> {
  await prometheus.hurry();
  const alerts = watchAlerts(prometheus);
  const crowd = letInCrowd(dataDir, 15);
  await sleep(3_000);
  await killWorker(url);
  await sleep(2_000);
  await pauseRedis(dataDir, () => sleep(PAUSE_MS));
  const { code, said } = await crowd;
  if (code !== 0) complain(`the crowd left with ${code} after the faults:\n${said}`);
  await sleep(2_000);
  show('after a killed worker and a paused Redis', await askAll(prometheus, EMPTY.afterFaults), true);

  const { fired, firing } = await alerts.stop();
  printTable([['alert that fired', 'what it said'], ...fired]);
  for (const name of DUE) if (!fired.has(name)) complain(`${name} did not fire`);
  for (const name of LIES) if (fired.has(name)) complain(`${name} fired, and was wrong`);
  if (firing.includes('RedisAway')) complain('RedisAway still fires, and Redis is back');
  await sleep(TOLD_MS);
  for (const problem of wrongPages(alertmanager, 'RedisAway', 'WorkerDied')) complain(problem);
  console.log(`${alertmanager.pages.length} calls of the pager, ${alertmanager.chat.length} of the chat`);
}

/** The figures that come with the first audit, and whether every documented metric is there. */
async function checkAudited(prometheus: Prometheus, startedMs: number): Promise<void> {
  await sleep(Math.max(0, startedMs + AUDITED_MS - Date.now()));
  const deadline = Date.now() + AUDITED_LATE_MS;
  while ((await prometheus.query(OF_AUDIT)).length === 0 && Date.now() < deadline) await sleep(1_000);
  show('after the first audit', await askAudited(prometheus));
  const [differences] = await prometheus.query('flashsale_audit_differences_total');
  if (differences?.value !== 0) complain(`the audit found differences: ${differences?.value}`);
  const names = await prometheus.names();
  const documented = documentedNames();
  const missing = documented.filter((name) => !names.has(name) && !EMPTY.afterFaults.has(name));
  for (const name of missing) complain(`${name} is documented, and was never scraped`);
  console.log(`${documented.length - missing.length} of ${documented.length} documented metrics are known.`);
}

/** A row per question, or only the wrong ones. */
function show(when: string, findings: readonly Finding[], onlyWrong = false): void {
  const wrong = findings.filter(({ problem }) => problem !== undefined);
  const empty = findings.filter(({ samples }) => samples.length === 0).length - wrong.length;
  console.log(`\n${when}: ${findings.length} questions, ${empty} rightly empty, ${wrong.length} wrong`);
  const rows = (onlyWrong ? wrong : findings).map(({ of, expr, samples, problem }) => [
    of,
    expr.length > WIDTH ? `${expr.slice(0, WIDTH - 1)}…` : expr,
    samples.length,
    samples[0] ? Number(samples[0].value.toPrecision(3)) : '',
    problem ?? '',
  ]);
  if (rows.length > 0) printTable([['of', 'question', 'samples', 'the first', ''], ...rows]);
  for (const { of, expr, problem } of wrong) complain(`${of}: ${problem}: ${expr}`);
}

async function check(): Promise<number> {
  const tools = findTools();
  checkConfiguration(tools);
  const left = HOUR_MS - (Date.now() % HOUR_MS);
  if (left < NEEDED_MS) {
    console.log(`the hour's sale ends in ${Math.round(left / 1_000)} s: waiting for the next …`);
    await sleep(left + 1_000);
  }
  const { dataDir, remove } = makeDataDir();
  const receiver = await openReceiver();
  const service = await startService(dataDir, {
    ...{ WORKERS: '2', SALE_ITEMS: '3000', LOG_LEVEL: 'warn' },
    ...{ WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: SECRET, WEBHOOK_PRIVATE: 'on' },
  });
  const startedMs = Date.now();
  const closing: (() => Promise<void>)[] = [receiver.die, service.stop];
  try {
    const alertmanager = await startAlertmanager(tools.alertmanager, join(dataDir, 'alertmanager'));
    closing.push(alertmanager.stop);
    const dir = join(dataDir, 'prometheus');
    const target = new URL(service.url).host;
    const prometheus = await startPrometheus(tools.prometheus, dir, target, alertmanager.address);
    closing.push(prometheus.stop);
    console.log(`${dashboardQueries().length} queries of the dashboard; service at ${service.url}`);
    await checkHealthy(prometheus, dataDir, service.url);
    await checkFaults(prometheus, alertmanager, dataDir, service.url);
    await checkAudited(prometheus, startedMs);
    if (receiver.taken.length === 0) complain('no webhook was delivered');
  } finally {
    for (const close of closing.reverse()) await close();
    remove();
  }
  for (const problem of problems) console.log(`- ${problem}`);
  console.log(problems.length === 0 ? 'Monitoring holds.' : `Monitoring does not hold (${problems.length}).`);
  return problems.length === 0 ? EXIT.ok : EXIT.differs;
}

try {
  process.exitCode = await check();
} catch (error) {
  console.error(error instanceof NoPrometheus ? `monitoring: ${error.message}` : error);
  process.exitCode = EXIT.refused;
}
