import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, maskSecrets, readConfig, SetupError } from '../config.ts';
import { type Log, openLog } from '../log.ts';
import { createStoreMetrics } from '../metrics/stores.ts';
import { activeOf } from '../sale.ts';
import { openSpool } from '../store/attempts/segments.ts';
import { banner, readOffer } from './banner.ts';
import { openBuyerKeys } from './buyer-keys.ts';
import { startBoxes } from './duties/boxes.ts';
import { createShipper } from './duties/shipper.ts';
import { startDuties } from './duties/start.ts';
import { every } from './every.ts';
import { createMetrics } from './metrics/own.ts';
import { createScrape } from './metrics/scrape.ts';
import { requireFreePort } from './port.ts';
import { writeServiceFile } from './service-file.ts';
import { createShutdown, type Shutdown } from './shutdown.ts';
import { openStores } from './stores.ts';
import { openSummary } from './summary.ts';
import { createSalesBoard } from './workers/sales-board.ts';
import { isWriting, makePeersDir, startWorkers } from './workers/start.ts';
import { createSupervisor, type Supervisor } from './workers/supervisor.ts';

const SHIP_MS = 200;
/** Beside this program in each of its builds, dist/src and dist/service. */
const WORKER = fileURLToPath(new URL('../worker/main.js', import.meta.url));

/** Opens everything in order; `shutdown` closes it in reverse. */
async function main(config: Config, log: Log, shutdown: Shutdown): Promise<void> {
  const beganMs = performance.now();
  log.debug(maskSecrets(config), 'configuration');
  if (!config.production && !config.adminToken)
    log.warn('the admin API is open: set ADMIN_TOKEN to close it');
  if (config.buyerJwks && !config.buyerAudience)
    log.warn('tokens for any audience prove buyers: set BUYER_AUDIENCE to this service’s own');
  await requireFreePort(config.host, config.port);

  const measured = createStoreMetrics();
  const stores = await openStores(config, log, shutdown, measured);
  const { redis, postgres, redisUrl, databaseUrl, onError } = stores;
  const run = randomBytes(6).toString('hex');
  const peersDir = makePeersDir(shutdown);
  const env = { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, PEERS_DIR: peersDir, SERVICE_RUN: run };
  const supervisor = createSupervisor({ workers: config.workers, program: WORKER, env });

  const spool = openSpool(join(config.dataDir, 'spool'));
  const onFull = (full: boolean) => {
    log.error({ full }, full ? 'the attempt spool is full' : 'the attempt spool has room again');
    supervisor.broadcast({ type: 'spool-full', full });
  };
  const isWritten = (segmentRun: string, pid: number) => isWriting(supervisor.pids(), run, segmentRun, pid);
  const { attemptsKeepDays: keepDays, buyerJwks } = config;
  const shipper = createShipper({ postgres, dir: spool, log, keepDays, isWritten, onFull });
  const shipping = every(SHIP_MS, shipper.ship, onError);
  shutdown.add('attempt log', async () => {
    await shipping.stop();
    await shipper.ship();
  });

  const buyerKeys = buyerJwks ? await openBuyerKeys(buyerJwks, supervisor, log, shutdown) : undefined;
  const board = createSalesBoard(supervisor);
  const metrics = createMetrics();
  const { refreshSales, isLeader } = await startDuties({ config, stores, board, metrics, log, shutdown });
  const sales = () => board.sales;
  const hourlySales = config.hourlySales === 'on';
  const sources = { hourlySales, redis, postgres, measured, sales, spool, supervisor, isLeader, buyerKeys };
  const scrape = createScrape({
    own: () => metrics.read(sources),
    workers: supervisor.pids,
    ask: (pid, id) => supervisor.send(pid, { type: 'metrics', id }),
  });

  const boxes = startBoxes({ run, postgres, supervisor, isLeader, shutdown, onError });
  shutdown.add('workers', supervisor.stop);
  const isSpoolFull = () => shipper.isFull;
  const onCounted = openSummary(config, log, redis, sales, supervisor.pids)?.heard;
  await startWorkers({
    supervisor,
    board,
    buyerKeys,
    metrics,
    scrape,
    log,
    isSpoolFull,
    boxes,
    refreshSales,
    onCounted,
  });
  rollOnSignals(supervisor, log, onError);

  // Nobody can call a wildcard address; `url` is for people and tools on this box.
  const address = `${config.host.includes(':') ? `[${config.host}]` : config.host}:${supervisor.port}`;
  const url = `http://${address.replace(/^(0\.0\.0\.0|\[::\])(?=:\d+$)/, '127.0.0.1')}`;
  const service = { pid: process.pid, url, redisUrl, databaseUrl };
  shutdown.add('service file', writeServiceFile(config.dataDir, service));
  const readyMs = Math.round(performance.now() - beganMs);
  log.info({ address, box: run, workers: config.workers, ready_ms: readyMs }, 'open');
  if (process.stdout.isTTY) {
    const offer = await readOffer(redis, postgres, activeOf(board.sales, Date.now(), hourlySales));
    process.stdout.write(banner(config, { url, readyMs, offer }));
  }
}

function rollOnSignals(supervisor: Supervisor, log: Log, onError: (error: unknown) => void): void {
  const roll = () => {
    log.info('rolling restart');
    supervisor.roll().then(() => log.info('rolling restart done'), onError);
  };
  process.on('SIGUSR2', roll);
  // On a terminal SIGHUP means that the terminal is closed: see createShutdown.
  if (!process.stdout.isTTY) process.on('SIGHUP', roll);
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
