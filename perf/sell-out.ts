/** A sale that a crowd sells out, an item to each buyer: how fast, and with what of the CPU. */
import { latenciesOf } from './cases.ts';
import { generate } from './generator.ts';
import type { RecordData } from './record.ts';
import { listItems } from './shop.ts';
import { type CpuByRole, cpuOfTree, cpuPerRequest } from './usage.ts';

export interface SellOut extends ReturnType<typeof latenciesOf> {
  readonly sold: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  readonly perSecond: number;
  /** Of the service, in µs per request; zeros where its processes are not known. */
  readonly cpuUs: CpuByRole;
  /** Of the generator; 1 is a whole core. */
  readonly cores: number;
}

export interface Crowd {
  readonly saleId: string;
  /** Of the buyers' names. */
  readonly prefix: string;
  readonly connections: number;
}

const UNKNOWN: CpuByRole = { primary: 0, workers: 0, redis: 0, postgres: 0 };

/** Sells all that is left of a sale. The record is apart from the figures: it is large, and who compares many sales drops it. */
export async function sellOut(
  { url, pid }: { readonly url: string; readonly pid?: number },
  { saleId, prefix, connections }: Crowd,
): Promise<{ readonly figures: SellOut; readonly record: RecordData }> {
  const items = await listItems(url, saleId, true);
  const used = () => (pid === undefined ? UNKNOWN : cpuOfTree(pid));
  const crowd = { items, prefix, users: items.length, itemsPerUser: 1, connections, contention: false };
  const before = used();
  const { record, cores } = await generate({ url, saleId, ...crowd }, () => {});
  const cpuUs = cpuPerRequest(before, used(), record.requests);
  const seconds = (record.lastMs - record.firstMs) / 1_000;
  const perSecond = record.requests / seconds;
  return { figures: { sold: record.sold, seconds, perSecond, cpuUs, cores, ...latenciesOf(record) }, record };
}
