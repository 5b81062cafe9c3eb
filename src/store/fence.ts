import type { LiveSale } from '../sale.ts';
import { Unavailable } from './errors.ts';
import type { Redis } from './redis.ts';

/**
 * What every script call must show at the gate: the sale's epoch and the run id of the server that the
 * connection reaches. A Redis that restarted, was emptied or is an old copy holds another gate, or none.
 * Throws Unavailable while Redis is away.
 */
export function fenceOf(sale: Pick<LiveSale, 'epoch'>, redis: Redis): string {
  if (redis.runId === undefined) throw new Unavailable('Redis is away');
  return `${sale.epoch}:${redis.runId}`;
}

/** The epoch that a gate admits; undefined when the gate is shut. */
export function epochOfGate(gate: string): number | undefined {
  const epoch = /^(\d+):/.exec(gate)?.[1];
  return epoch === undefined ? undefined : Number(epoch);
}
