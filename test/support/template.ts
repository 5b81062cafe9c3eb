import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalServices } from '../../src/private/services.ts';
import { migrate } from '../../src/store/migrate.ts';

/** What a data directory holds of its private PostgreSQL while nothing runs. */
const CLUSTER = 'postgres';
const PASSWORD = 'password';

/** Makes a data directory with a cluster that has the schema and nothing else, and returns its path. Whoever asks removes it. */
export async function makeTemplate(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'flashsale-template-'));
  chmodSync(dataDir, 0o755);
  const services = await startLocalServices({
    dataDir,
    redis: false,
    postgres: true,
    redisServer: undefined,
    onExit: () => {},
  });
  await migrate(services.databaseUrl as string);
  await services.stop();
  return dataDir;
}

/** Copies the run's template, if there is one, into a new data directory: the service then finds a cluster, and makes none. */
export function copyTemplate(dataDir: string): void {
  const template = process.env.FLASHSALE_POSTGRES_TEMPLATE;
  if (template === undefined || existsSync(join(dataDir, CLUSTER))) return;
  // With its owner, who is not ours when we are root.
  const { status } = spawnSync('cp', ['-a', join(template, CLUSTER), join(dataDir, CLUSTER)]);
  if (status !== 0) throw new Error(`the template ${template} could not be copied`);
  copyFileSync(join(template, PASSWORD), join(dataDir, PASSWORD));
}
