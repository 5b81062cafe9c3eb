import { randomUUID } from 'node:crypto';
import { makeDataDir, startService } from '../../perf/service.ts';
import { seeded } from '../faults/random.ts';
import { hopelessBody } from './bodies.ts';
import { readLog } from './campaign.ts';
import { INSIDE } from './malformed.ts';
import { createTally } from './tally.ts';

export interface IntakeOptions {
  /** How many bodies are sent. */
  readonly bodies: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** As many as a worker takes. */
const CLIENTS = 2;
const NAMED_MAX = 20;
const HANG_MS = 15_000;

/**
 * Sends bodies that can only be refused to POST /admin/sales of a service of its own: random bytes, JSON and tables. Returns one
 * sentence for each answer that is no 4xx problem or tells of the inside, and for each sale that came of it.
 */
export async function attackIntake({ bodies, seed, say }: IntakeOptions): Promise<string[]> {
  const token = `token-${randomUUID()}`;
  const { dataDir, remove } = makeDataDir();
  const service = await startService(dataDir, { WORKERS: '1', HOURLY_SALES: 'off', ADMIN_TOKEN: token });
  const violations: string[] = [];
  const outcomes = createTally<string>();
  const send = async (own: number) => {
    const { type, bytes } = hopelessBody(seeded(own));
    const answer = await fetch(`${service.url}/admin/sales`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
      body: new Uint8Array(bytes),
      signal: AbortSignal.timeout(HANG_MS),
    });
    const text = await answer.text();
    outcomes.add(`${answer.status} ${(JSON.parse(text) as { code?: string }).code}`);
    if (answer.status !== 400)
      violations.push(`body ${own} (${type}) was answered ${answer.status}: ${text.slice(0, 300)}`);
    if (INSIDE.test(text)) violations.push(`body ${own} is told of the inside: ${text.slice(0, 300)}`);
  };
  try {
    const countSales = async () =>
      ((await (await fetch(`${service.url}/sales?limit=1000`)).json()) as unknown[]).length;
    const before = await countSales();
    let next = 0;
    const client = async () => {
      while (next < bodies && violations.length < NAMED_MAX) {
        const own = seed + next++;
        await send(own).catch((error: Error) => violations.push(`body ${own}: ${error.message}`));
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    say(`${bodies} hopeless bodies of new sales from seed ${seed}: ${outcomes.text()}`);
    const made = (await countSales()) - before;
    if (made !== 0) violations.push(`${made} sales were made of hopeless bodies`);
    await service.stop();
    return [...violations, ...readLog(dataDir, token)];
  } finally {
    await service.stop();
    remove();
  }
}
