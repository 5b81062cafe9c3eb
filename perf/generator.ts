/** Runs buyers in this process or, when one core is not enough, in several; the result is the same record. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type BuyersOptions, runBuyers } from './buyers.ts';
import { createRecorder, mergeRecord, newRecord, type RecordData } from './record.ts';

export interface Generated {
  readonly record: RecordData;
  /** CPU time of all generator processes ÷ time: 1 is a whole core. */
  readonly cores: number;
}

export type OnProgress = (sold: number, requests: number) => void;

const PROGRESS_MS = 100;

/** Runs the buyers in this process. */
export async function generate(options: BuyersOptions, onProgress: OnProgress): Promise<Generated> {
  const recorder = createRecorder();
  const { data } = recorder;
  const progress = setInterval(() => onProgress(data.sold, data.requests), PROGRESS_MS);
  const cpu = process.cpuUsage();
  const beganMs = performance.now();
  await runBuyers(options, recorder);
  clearInterval(progress);
  const { user, system } = process.cpuUsage(cpu);
  return { record: data, cores: (user + system) / 1_000 / (performance.now() - beganMs) };
}

/** Shares the buyers among processes. In a fight all of them want everything. */
export async function generateIn(
  processes: number,
  options: BuyersOptions,
  onProgress: OnProgress,
): Promise<Generated> {
  if (processes === 1) return generate(options, onProgress);
  const seen = Array.from({ length: processes }, () => [0, 0]);
  const parts = await Promise.all(
    seen.map((figures, n) =>
      generateInChild(partOf(options, processes, n), (sold, requests) => {
        figures[0] = sold;
        figures[1] = requests;
        const sum = (i: number) => seen.reduce((total, each) => total + (each[i] as number), 0);
        onProgress(sum(0), sum(1));
      }),
    ),
  );
  const record = newRecord();
  for (const part of parts) mergeRecord(record, part.record);
  return { record, cores: parts.reduce((sum, part) => sum + part.cores, 0) };
}

function partOf(options: BuyersOptions, processes: number, n: number): BuyersOptions {
  return {
    ...options,
    items: options.contention ? options.items : options.items.filter((_, i) => i % processes === n),
    prefix: `${options.prefix}${n}-`,
    users: Math.ceil(options.users / processes),
    connections: Math.ceil(options.connections / processes),
  };
}

type FromChild = { readonly progress: [number, number] } | { readonly generated: Generated };

async function generateInChild(options: BuyersOptions, onProgress: OnProgress): Promise<Generated> {
  const child = fork(fileURLToPath(import.meta.url), ['child'], { serialization: 'advanced' });
  child.send(options);
  const result = new Promise<Generated>((resolve, reject) => {
    child.on('message', (message: FromChild) => {
      if ('progress' in message) onProgress(...message.progress);
      else resolve(message.generated);
    });
    child.once('exit', () => reject(new Error('a generator process died')));
  });
  const generated = await result;
  if (child.connected) child.disconnect();
  if (child.exitCode === null) await once(child, 'exit');
  return generated;
}

// This file is also the child's entry.
if (process.send && process.argv[2] === 'child' && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('message', async (options: BuyersOptions) => {
    const send = (message: FromChild) => process.send?.(message);
    send({
      generated: await generate(options, (sold, requests) => void send({ progress: [sold, requests] })),
    });
  });
}
