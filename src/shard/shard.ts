import type { Peers } from './peers.ts';
import { createRing, type Ring } from './ring.ts';
import {
  beginReading,
  type Change,
  createFacts,
  doubt,
  endReading,
  type FactsOptions,
  hearChange,
  isTrusted,
  lookAt,
  moveArc,
  readSold,
  type SaleFacts,
} from './sale-facts.ts';
import { createSoldFilter } from './sold-filter.ts';

export interface ShardOptions {
  /** The own slot. */
  readonly slot: number;
  /** The slots on the ring at first. */
  readonly slots: readonly number[];
  /** Asks the owner of a foreign item whether it is sold: see `Peers.ask`. */
  readonly ask: Peers['ask'];
  /**
   * Confirmations of foreign items kept per sale. 32,768: twice a sale of 10,000 items with room to spare, so
   * that such a sale asks no question once it is under way; 3 MB at worst. More would cost memory that the
   * ring is there to save.
   */
  readonly confirmationsMax?: number;
  /** For tests: the filter of a sale with `total` items. */
  readonly createFilter?: FactsOptions['createFilter'];
}

/** What Redis published of a sale in an epoch. */
export interface SaleChange extends Change {
  readonly saleId: string;
  readonly epoch: number;
}

/** Sold ids being read from Redis, in any number of parts. */
export interface Snapshot {
  /** About 1 µs per id: a few thousand at a time. Keeps the strings themselves, so they must not be views. */
  add(itemIds: Iterable<string>): void;
  /** Everything that was sold when the snapshot was begun has been added. */
  done(): void;
}

/**
 * What one worker remembers of the sales, so that hopeless requests need not leave it.
 *
 * A positive verdict always rests on a fact that Redis published in the sale's current epoch, never on a
 * filter; a negative one means only "ask Redis". An item that came back is unlearned as soon as that is heard, or a look at
 * Redis' version shows that it was missed. Unknown sales and older epochs are ignored everywhere.
 */
export interface Shard {
  /** Makes a sale of so many items known, or takes it to a newer epoch, which forgets every fact of the older. Idempotent. */
  openSale(saleId: string, total: number, epoch: number): void;
  /** Forgets a sale and frees its memory. */
  closeSale(saleId: string): void;
  /** The slots now on the ring. */
  setSlots(slots: readonly number[]): void;
  /** The sold channel was interrupted, of one sale or of all: they need a snapshot. Call it after the new subscription is active. */
  doubt(saleId?: string): void;
  /** Items ran out or came back. In the order of the versions; lost ones are noticed, repeated and late ones ignored. */
  hear(event: SaleChange): void;
  /** The version that Redis has now, looked at on a timer: finds out that the last events were lost. */
  look(saleId: string, epoch: number, version: number, gone: number): void;
  /** Whether events are known or suspected to be missing. Ask on a timer. */
  needsSnapshot(saleId: string): boolean;
  /**
   * Begins to take in all sold ids of a sale. When it is done, they replace what is known, with what was heard meanwhile.
   * @param version how often an item has run out or come back, read from Redis *before* the ids are
   * @param gone the sale's number of sold items, read with the version
   */
  beginSnapshot(saleId: string, epoch: number, version: number, gone: number): Snapshot;
  /** A number that changes whenever items may have come back: what is derived from their being sold is to be forgotten. */
  unlearned(saleId: string): number;
  /** The refusal, or undefined: ask Redis. A promise only while another worker is asked. */
  verdict(saleId: string, itemId: string): Verdict | Promise<Verdict>;
  /**
   * Answers other workers: is this item known to be sold in this epoch, by all that happened up to the version `since`? Only for
   * the own arc.
   */
  ownsSold(saleId: string, epoch: number, since: number, itemId: string): boolean;
  readonly refusals: Readonly<RefusalCounts>;
  /** The ring as it is now. */
  readonly ring: Ring;
}

/** Number of refusals, by what they rested on. */
export interface RefusalCounts {
  sold_out: number;
  own: number;
  /** A foreign item that was confirmed before. */
  confirmed: number;
  /** A foreign item that its owner confirmed now. */
  asked: number;
}

export type Verdict = 'sold-out' | 'sold' | undefined;

const CONFIRMATIONS_MAX = 32_768;
/** Of a sale or an epoch that is not known. */
const NO_SNAPSHOT: Snapshot = { add() {}, done() {} };

const isSoldOut = ({ gone, total }: SaleFacts): boolean => gone >= total;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: short inner functions share its state.
export function createShard(options: ShardOptions): Shard {
  const { slot, ask, confirmationsMax = CONFIRMATIONS_MAX, createFilter = createSoldFilter } = options;
  const sales = new Map<string, SaleFacts>();
  let ring: Ring = createRing(options.slots);
  const refusals: RefusalCounts = { sold_out: 0, own: 0, confirmed: 0, asked: 0 };
  /** Counts a refusal, and returns it. */
  const counted = (kind: keyof RefusalCounts, isSold: boolean): Verdict => {
    if (!isSold) return undefined;
    refusals[kind]++;
    return kind === 'sold_out' ? 'sold-out' : 'sold';
  };
  const owns = (itemId: string) => ring.ownerOf(itemId) === slot;

  /** The facts of a sale in this epoch; a newer epoch than the known one starts them afresh. */
  const factsAt = (saleId: string, epoch: number): SaleFacts | undefined => {
    const facts = sales.get(saleId);
    if (facts === undefined || !(epoch >= facts.epoch)) return undefined;
    if (epoch === facts.epoch) return facts;
    const fresh = createFacts(facts.total, epoch, { createFilter, confirmationsMax });
    sales.set(saleId, fresh);
    return fresh;
  };

  const confirm = async (facts: SaleFacts, reply: Promise<boolean>, saleId: string, itemId: string) => {
    const { unlearned } = facts;
    const isSold = await reply.catch(() => false);
    // What came back meanwhile may be this item.
    if (!isSold || sales.get(saleId) !== facts || facts.unlearned !== unlearned) return undefined;
    facts.foreign.add(itemId);
    return counted('asked', true);
  };

  return {
    openSale(saleId, total, epoch) {
      const facts = factsAt(saleId, epoch);
      if (facts !== undefined) facts.total = total;
      else if (!sales.has(saleId))
        sales.set(saleId, createFacts(total, epoch, { createFilter, confirmationsMax }));
    },
    closeSale(saleId) {
      sales.delete(saleId);
    },
    setSlots(slots) {
      const before = ring;
      ring = createRing(slots);
      const hasGrown = ring.hasGrown(slot, before);
      for (const facts of sales.values()) moveArc(facts, owns, hasGrown);
    },
    doubt(saleId) {
      for (const [id, facts] of sales) if (saleId === undefined || id === saleId) doubt(facts);
    },
    hear(event) {
      const facts = factsAt(event.saleId, event.epoch);
      if (facts !== undefined) hearChange(facts, event, owns);
    },
    look(saleId, epoch, version, gone) {
      const facts = factsAt(saleId, epoch);
      if (facts !== undefined) lookAt(facts, version, gone);
    },
    needsSnapshot(saleId) {
      const facts = sales.get(saleId);
      return facts !== undefined && !isSoldOut(facts) && facts.settled !== facts.doubts;
    },
    beginSnapshot(saleId, epoch, version, gone) {
      const facts = factsAt(saleId, epoch);
      if (facts === undefined) return NO_SNAPSHOT;
      const reading = beginReading(facts, version, gone);
      const isCurrent = () => sales.get(saleId) === facts && facts.reading === reading;
      return {
        add(itemIds) {
          if (isCurrent()) readSold(facts, reading, itemIds, owns);
        },
        done() {
          if (isCurrent()) endReading(facts, reading, owns);
        },
      };
    },
    unlearned: (saleId) => sales.get(saleId)?.unlearned ?? 0,
    verdict(saleId, itemId) {
      const facts = sales.get(saleId);
      if (facts === undefined) return undefined;
      if (isSoldOut(facts)) return counted('sold_out', true);
      const owner = ring.ownerOf(itemId);
      if (owner === slot) return counted('own', facts.own.has(itemId));
      if (facts.foreign.has(itemId)) return counted('confirmed', true);
      if (!facts.filter.has(itemId)) return undefined;
      const reply = ask(owner, saleId, facts.epoch, facts.backAt, itemId);
      return reply && confirm(facts, reply, saleId, itemId);
    },
    ownsSold(saleId, epoch, since, itemId) {
      const facts = sales.get(saleId);
      if (facts === undefined || facts.epoch !== epoch) return false;
      return facts.heard >= since && isTrusted(facts) && facts.own.has(itemId);
    },
    refusals,
    get ring() {
      return ring;
    },
  };
}
