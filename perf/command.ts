/** What the commands of this folder share: usage errors, the running service, tables. */
import { readConfig, SetupError } from '../src/config.ts';
import { readServiceFile } from '../src/primary/service-file.ts';
import { openPostgres, type Postgres } from '../src/store/postgres.ts';
import { openRedis, type Redis } from '../src/store/redis.ts';

/** The command was called in a way that cannot work: one sentence, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Exit codes: the work is done; it is done and something is wrong; it could not be done. */
export const EXIT = { ok: 0, differs: 1, refused: 2 } as const;

/** Runs a command and exits with the code that it returns, or with 2 and one sentence. */
export async function runCommand(name: string, command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command();
  } catch (error) {
    const expected =
      error instanceof UsageError ||
      error instanceof SetupError ||
      (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
    console.error(expected ? `${name}: ${(error as Error).message}` : error);
    process.exitCode = EXIT.refused;
  }
}

/** A whole number from the command line. */
export function readCount(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} must be a whole number from 1, not "${text}".`);
  return value;
}

/** The service that runs on this data directory; undefined when none does. */
export const runningService = () => readServiceFile(readConfig().dataDir);

export interface Stores {
  readonly redis: Redis;
  readonly postgres: Postgres;
  close(): Promise<void>;
}

/** Long enough for a query over a sale of a million. */
const ANSWER_MS = 60_000;

/** Opens both stores; throws a SetupError when one cannot be reached. */
export async function openStores(urls: {
  readonly redisUrl: string;
  readonly databaseUrl: string;
}): Promise<Stores> {
  const onError = () => {};
  const redis = await openRedis({ url: urls.redisUrl, patient: false, onError });
  try {
    const url = urls.databaseUrl;
    const postgres = await openPostgres({
      url,
      connectionsMax: 2,
      answerMs: ANSWER_MS,
      patient: false,
      onError,
    });
    const close = async () => {
      await Promise.allSettled([redis.close(), postgres.close()]);
    };
    return { redis, postgres, close };
  } catch (error) {
    await redis.close();
    throw error;
  }
}

/** Prints rows in columns; figures to the right, words to the left. The first row is the head. */
export function printTable(rows: readonly (readonly (string | number)[])[]): void {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell)),
  );
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const isFigure = (i: number) =>
    cells.slice(1).every((row) => /^[-\d.,]*( ?[a-zA-Zµ/%]{1,5})?$/.test(row[i] ?? ''));
  const figures = widths.map((_, i) => isFigure(i));
  for (const row of cells) {
    const line = row.map((cell, i) =>
      figures[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
    );
    console.log(`  ${line.join('   ').trimEnd()}`);
  }
}
