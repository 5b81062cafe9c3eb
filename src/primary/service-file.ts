import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The addresses of a running service, for its tools: sellout, audit, load. */
export interface ServiceFile {
  readonly pid: number;
  readonly url: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

const pathIn = (dataDir: string) => join(dataDir, 'service.json');

/** Writes `service.json`, readable by its owner alone since the URLs hold passwords; returns how to remove it. */
export function writeServiceFile(dataDir: string, service: ServiceFile): () => Promise<void> {
  writeFileSync(pathIn(dataDir), `${JSON.stringify(service, null, 2)}\n`, { mode: 0o600 });
  return async () => rmSync(pathIn(dataDir), { force: true });
}

/** The service that runs on a data directory; undefined when none does. */
export function readServiceFile(dataDir: string): ServiceFile | undefined {
  try {
    const service = JSON.parse(readFileSync(pathIn(dataDir), 'utf8')) as ServiceFile;
    process.kill(service.pid, 0);
    return service;
  } catch {
    // No file, or one that a killed primary left behind.
    return undefined;
  }
}
