/** Figures that are taken once: latencies at a steady rate, and how soon a service is there again. */

import { compareBooks } from './books.ts';
import type { Bench } from './cases.ts';
import { CONNECTIONS, latenciesOf } from './cases.ts';
import { runOpenLoop } from './open-loop.ts';
import { createRecorder, mergeRecord } from './record.ts';
import { makeDataDir, startService } from './service.ts';
import { createSale, findSale, listItems } from './shop.ts';

/** Requests at a fixed rate, on the clock. */
export interface OpenLoopResult {
  /** Requests per second that were due, and that were answered. */
  readonly due: number;
  readonly answered: number;
  readonly checkout: { readonly p50Ms: number; readonly p99Ms: number };
  readonly purchase: { readonly p50Ms: number; readonly p99Ms: number };
  readonly faults: readonly string[];
}

/** Not counted: the generator's own code is cold, and takes a core from the service that it measures. */
const WARM_S = 1;

/** Customers come so often that `perSecond` requests are due: one checkout and one purchase each. */
export async function measureOpenLoop(
  bench: Bench,
  perSecond: number,
  seconds: number,
): Promise<OpenLoopResult> {
  const { service, stores } = bench;
  const customers = Math.max(CONNECTIONS, Math.round((perSecond / 2) * seconds));
  const early = Math.round((perSecond / 2) * WARM_S);
  const sale = await createSale(service.url, early + customers, 10);
  const items = await listItems(service.url, sale.id, true);
  // As many connections as a gateway keeps; they stand before the first customer comes.
  const crowd = { perSecond: perSecond / 2, connections: 2 * CONNECTIONS };
  const send = async (some: readonly string[], who: string) => {
    const recorder = createRecorder();
    const customersOf = { items: some, prefix: prefix + who };
    await runOpenLoop({ url: service.url, saleId: sale.id, ...customersOf, ...crowd }, recorder);
    return recorder.data;
  };
  const prefix = 'customer-';
  const warm = await send(items.slice(0, early), 'early-');
  const record = await send(items.slice(early), '');
  const answered = (record.requests / (record.lastMs - record.firstMs)) * 1_000;
  const latencies = latenciesOf(record);
  mergeRecord(record, warm);
  const now = await findSale(service.url, sale.id);
  const faults = await compareBooks({ stores, record, prefix, sale: now, soldOut: true });
  return { due: perSecond, answered, ...latencies, faults };
}

/** Milliseconds from the start of the process to the first /readyz that says yes, with the data of an earlier start. */
export async function measureWarmStart(times: number): Promise<number[]> {
  const { dataDir, remove } = makeDataDir();
  const readyMs: number[] = [];
  for (let n = 0; n <= times; n++) {
    const service = await startService(dataDir);
    readyMs.push(service.readyMs);
    await service.stop();
  }
  remove();
  // The first one has made the data.
  return readyMs.slice(1);
}
