import { type Batcher, createBatcher } from './batcher.ts';
import { saleOfCode } from './checkouts.ts';
import { keysOf } from './keys.ts';
import type { Redis } from './redis.ts';

/** Codes of one look-up: a tenth of a millisecond of Redis. */
const BATCH_MAX = 256;
/** Look-ups under way per worker: one being answered, one on the wire. */
const IN_FLIGHT_MAX = 2;
/** As many as there may be purchases. */
const PENDING_MAX = 4_096;

/**
 * A batcher that finds the users of carts by their codes, for a purchase that only its buyer may make. A code has the same
 * user for as long as it exists, so that what is found cannot become wrong before the purchase is decided. Undefined: no
 * such cart, or it was bought. Rejects as `Redis.command` does, or with Overloaded.
 */
export function createOwners(redis: Redis): Pick<Batcher<string, string | undefined>, 'add'> {
  const batcher = createBatcher<string, string | undefined | Error>({
    batchMax: BATCH_MAX,
    inFlightMax: IN_FLIGHT_MAX,
    pendingMax: PENDING_MAX,
    async run(codes) {
      const bySale = new Map<string, string[]>();
      for (const code of codes) {
        const saleId = saleOfCode(code) as string;
        const own = bySale.get(saleId);
        if (own === undefined) bySale.set(saleId, [code]);
        else own.push(code);
      }
      const owners = new Map<string, string | null | Error>();
      const ask = async ([saleId, own]: [string, string[]]) => {
        const users = (await redis.command('HMGET', keysOf(saleId).codes, ...own)) as (string | null)[];
        own.forEach((code, i) => void owners.set(code, users[i] ?? null));
      };
      // In a Cluster one sale's Redis may be away while the others' are not.
      const tell = ([saleId, own]: [string, string[]]) =>
        ask([saleId, own]).catch((error) => own.forEach((code) => void owners.set(code, error)));
      await Promise.all([...bySale].map(tell));
      return codes.map((code) => owners.get(code) ?? undefined);
    },
  });
  return {
    async add(code) {
      const owner = await batcher.add(code);
      if (owner instanceof Error) throw owner;
      return owner;
    },
  };
}
