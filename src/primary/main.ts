import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, maskSecrets, readConfig, SetupError } from '../config.ts';
import { type Log, openLog } from '../log.ts';
import type { ToPrimary } from '../messages.ts';
import { seekLeadership } from '../store/leadership.ts';
import { migrate } from '../store/migrate.ts';
import { openPostgres } from '../store/postgres.ts';
import { openRedis } from '../store/redis.ts';
import { readLiveSales } from '../store/sales.ts';
import { adoptSegments, openSpool } from '../store/segments.ts';
import { banner } from './banner.ts';
import { every } from './every.ts';
import { keepSales } from './keeper.ts';
import { startLocalServices } from './local-services.ts';
import { createMembership } from './membership.ts';
import { requireFreePort } from './port.ts';
import { createSalesBoard } from './sales-board.ts';
import { scheduleSales } from './scheduler.ts';
import { writeServiceFile } from './service-file.ts';
import { createShipper } from './shipper.ts';
import { createShutdown } from './shutdown.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import { sweep } from './sweeper.ts';

/** How soon a shut gate is noticed: a Redis that came back sells again after about this and the rebuild. */
const KEEP_MS = 200;
const SCHEDULE_MS = 5_000;
const SWEEP_MS = 500;
const SHIP_MS = 250;
/** A rebuild's or a shipment's single statement; far above what either needs. */
const ANSWER_MS = 30_000;

const startedAt = performance.now();

async function main(config: Config, log: Log, shutdown: ReturnType<typeof createShutdown>): Promise<void> {
  log.debug(maskSecrets(config), 'configuration');
  if (!config.production && !config.adminToken)
    log.warn('the admin API is open: set ADMIN_TOKEN to close it');
  await requireFreePort(config.host, config.port);

  // Stores: our own private ones, or those named by URL.
  const local = await startLocalServices({
    dataDir: config.dataDir,
    redis: config.redisUrl === undefined,
    postgres: config.databaseUrl === undefined,
    redisServer: config.redisServer,
    onExit: (name, detail) =>
      log.error({ service: name, detail }, 'a private server died; it is started again'),
  });
  shutdown.add('private servers', local.stop);
  const redisUrl = config.redisUrl ?? (local.redisUrl as string);
  const databaseUrl = config.databaseUrl ?? (local.databaseUrl as string);
  const onError = (err: unknown) => log.warn({ err }, 'a store failed');
  const redis = await openRedis({ url: redisUrl, patient: false, onError });
  shutdown.add('redis', redis.close);
  const postgres = await openPostgres({
    url: databaseUrl,
    connectionsMax: 6,
    answerMs: ANSWER_MS,
    patient: false,
    onError,
  });
  shutdown.add('postgres', postgres.close);
  for (const name of await migrate(databaseUrl)) log.info({ migration: name }, 'migrated');

  // The attempt log: what earlier workers left is shipped first.
  const spool = openSpool(join(config.dataDir, 'spool'));
  await adoptSegments(spool);
  const ship = createShipper({
    postgres,
    dir: spool,
    onFull: (full) => {
      log.error(
        { full },
        full ? 'the attempt spool is full: checkouts are refused' : 'the attempt spool has room again',
      );
      supervisor.broadcast({ type: 'spool-full', full });
    },
  });
  const shipping = every(SHIP_MS, ship, onError);
  shutdown.add('attempt log', async () => {
    await shipping.stop();
    await ship().catch(onError);
  });

  // Duties of the one leader of the database; every other box only reads what the leader has done.
  const leadership = await seekLeadership(databaseUrl, (isLeader) =>
    log.info({ leader: isLeader }, 'leadership'),
  );
  shutdown.add('leadership', leadership.close);
  const board = createSalesBoard(() => supervisor);
  const keeping = every(
    KEEP_MS,
    async () =>
      board.publish(
        leadership.isLeader ? await keepSales({ redis, postgres, log }) : await readLiveSales(postgres),
      ),
    onError,
  );
  shutdown.add('keeper', keeping.stop);
  const scheduling = every(
    SCHEDULE_MS,
    async () => {
      if (!leadership.isLeader) return;
      await scheduleSales(
        { postgres, log, items: config.saleItems, userLimit: config.userLimit },
        Date.now(),
      );
    },
    onError,
  );
  shutdown.add('scheduler', scheduling.stop);
  await scheduling.now();
  const sweeping = every(
    SWEEP_MS,
    async () => {
      if (leadership.isLeader && postgres.isUp)
        await sweep({ redis, postgres, log, sales: () => board.sales });
    },
    onError,
  );
  shutdown.add('sweeper', sweeping.stop);

  // Workers, last up and first down.
  const membership = createMembership(() => supervisor);
  // Short, since the path of a socket must stay below 108 bytes.
  const peersDir = mkdtempSync(join(tmpdir(), 'flashsale-'));
  shutdown.add('peers', async () => rmSync(peersDir, { recursive: true, force: true }));
  const supervisor: Supervisor = createSupervisor({
    workers: config.workers,
    env: { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, PEERS_DIR: peersDir },
    onMessage: (pid, message) => void onMessage(pid, message),
    onReady: (_, pid) => {
      board.show(pid);
      membership.show(pid);
      membership.changed();
    },
    onExit: (slot, pid, how, expected) => {
      if (!expected) log.error({ slot, worker_pid: pid, how }, 'a worker died');
      membership.changed();
      adoptSegments(spool, pid).catch(onError);
    },
  });
  async function onMessage(pid: number, message: ToPrimary): Promise<void> {
    if (message.type === 'sales-seen') board.seen(pid, message.version);
    if (message.type !== 'ask') return;
    const answer = (value: unknown) => supervisor.send(pid, { type: 'answer', id: message.id, value });
    if (message.question === 'cluster-status') return answer(supervisor.statuses());
    await keeping.now();
    await board.untilSeen();
    answer(true);
  }
  await keeping.now();
  shutdown.add('workers', supervisor.stop);
  await supervisor.start();
  membership.publish();
  await board.untilSeen();
  process.on('SIGHUP', () => {
    log.info('rolling restart');
    supervisor.roll().then(() => log.info('rolling restart done'), onError);
  });

  // A wildcard address is nothing to call: `url` is for people and tools on this box.
  const address = `${config.host.includes(':') ? `[${config.host}]` : config.host}:${supervisor.port}`;
  const url = `http://${address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, '127.0.0.1')}`;
  shutdown.add(
    'service file',
    writeServiceFile(config.dataDir, { pid: process.pid, url, redisUrl, databaseUrl }),
  );
  const readyMs = Math.round(performance.now() - startedAt);
  if (process.stdout.isTTY) process.stdout.write(banner(url, board.sales, config.workers, readyMs));
  log.info({ address, workers: config.workers, ready_ms: readyMs }, 'open');
}

let fail = (error: unknown): void => {
  console.error(error instanceof SetupError ? `flashsale: ${error.message}` : error);
  process.exit(1);
};
try {
  const config = readConfig();
  const { log, flush } = openLog(config.logLevel, 'primary');
  const shutdown = createShutdown(log, flush);
  fail = (error) => {
    if (error instanceof SetupError) console.error(`flashsale: ${error.message}`);
    else log.fatal({ err: error }, 'the primary failed');
    void shutdown.run(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  await main(config, log, shutdown);
} catch (error) {
  fail(error);
}
