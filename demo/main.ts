/**
 * `npm run demo`: a service of its own, a small sale, and a crowd that buys it, to be watched in a browser. A worker is killed meanwhile, and the
 * books are compared at the end. Exit code 0: they agree; 1: they do not; 2: it could not be done.
 */
import { once, setMaxListeners } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { EXIT, readCount, runCommand, UsageError } from '../perf/command.ts';
import { freePort, makeDataDir, startService } from '../perf/service.ts';
import { runDemo } from './sale.ts';
import { openScreen } from './screen.ts';

const HELP = `npm run demo -- [options]

Starts a service of its own, sells a small sale to a simulated crowd, and says
where to watch it. On a terminal the pages stay afterwards, until Ctrl-C.

  --seconds 600            how long the sale is open; 12 or more
  --port 8080              another port is taken when this one is not free`;

const SECONDS = { usual: 600, min: 12 } as const;
const PORT = 8_080;
/** What the environment says is meant for another service. */
const OWN = { NODE_ENV: '', DATABASE_URL: '', REDIS_URL: '', ADMIN_TOKEN: '', HOURLY_SALES: 'off' };
/** One is killed: others must be there meanwhile. */
const WORKERS = String(Math.min(8, Math.max(2, availableParallelism())));

function readOptions() {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      port: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const seconds = readCount('seconds', values.seconds, SECONDS.usual);
  if (seconds < SECONDS.min) throw new UsageError(`--seconds must be ${SECONDS.min} or more.`);
  return { seconds, port: readCount('port', values.port, PORT), help: values.help };
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer().listen(port, '127.0.0.1');
  try {
    await once(probe, 'listening');
    probe.close();
    await once(probe, 'close');
    return true;
  } catch {
    return false;
  }
}

await runCommand('demo', async () => {
  const { seconds, port, help } = readOptions();
  if (help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const end = new AbortController();
  // Each buyer listens for it.
  setMaxListeners(0, end.signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end.abort());
  const screen = openScreen();
  screen.print(['', 'Starting a service of its own …']);
  const { dataDir, remove } = makeDataDir();
  const own = { ...OWN, WORKERS, PORT: String((await isFree(port)) ? port : await freePort()) };
  try {
    const service = await startService(dataDir, own);
    try {
      const code = await runDemo({ service, seconds, screen, signal: end.signal });
      if (process.stdout.isTTY) {
        screen.print(['The pages stay, until Ctrl-C.']);
        if (!end.signal.aborted) await once(end.signal, 'abort');
      }
      return code;
    } catch (error) {
      if (!end.signal.aborted) throw error;
      screen.print(['', 'Ended.']);
      return EXIT.refused;
    } finally {
      end.abort();
      await service.stop();
    }
  } finally {
    remove();
  }
});
