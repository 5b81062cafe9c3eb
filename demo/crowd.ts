/** The crowd of the demo: buyers who use the client as a shop's own page would, each in his own time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createShop, OutcomeUnknown, type Receipt, Refusal, type Shop } from '../client/index.ts';
import type { BackOffice } from './back-office.ts';
import type { Good } from './goods.ts';
import { createTill, type Till } from './till.ts';

/** What a buyer of the crowd was told of a code. */
export interface Told {
  readonly user: string;
  /** Absent: nobody could tell. */
  readonly receipt?: Receipt;
}

export interface CrowdOptions {
  readonly url: string;
  readonly sale: string;
  readonly goods: readonly Good[];
  readonly office: BackOffice;
  /** How long a payment may take, in ms. */
  readonly paymentMs: number;
  readonly signal: AbortSignal;
}

export interface Crowd {
  readonly till: Till;
  /** By code. */
  readonly told: ReadonlyMap<string, Told>;
  /** How often somebody was refused. */
  readonly refusals: number;
  /** What is left of items, as the service tells it. */
  heard(items: Readonly<Record<string, number>>): void;
  /** One more buyer comes. */
  come(): void;
  /** Resolves when nobody is under way any more; throws what went wrong for anybody. */
  leave(): Promise<void>;
}

/** Names of the crowd begin so: other purchases are those of whoever watches. */
export const CROWD = 'crowd-';
/** Buyers at one time; further ones stay at home. */
const AT_ONCE_MAX = 200;
/** A buyer who is refused looks again, so often in all. */
const LOOKS = 4;
const THINK_MS = [200, 2_000] as const;
/** A payment takes up to this long, or half of what it may. */
const PAY_MS = 8_000;
/** Of 100 buyers so many forget to pay, and so many fail to. */
const FORGET = 2;
const FAIL = 4;

const between = (from: number, to: number) => from + Math.random() * (to - from);
const anyOf = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)];

export function openCrowd({ goods, sale, url, office, paymentMs, signal }: CrowdOptions): Crowd {
  const left = new Map(goods.map(({ id, stock }) => [id, stock]));
  const told = new Map<string, Told>();
  const underWay = new Set<Promise<void>>();
  const till = createTill(signal);
  let came = 0;
  let refusals = 0;
  let failure: unknown;

  const think = () => sleep(between(...THINK_MS), undefined, { signal });

  /** The code of a cart with something in it; undefined when there was nothing. */
  const choose = async (shop: Shop): Promise<string | undefined> => {
    for (let looks = 0; looks < LOOKS; looks++) {
      await think();
      // On the first look everybody wants anything, as who has an old page does.
      const there = looks === 0 ? goods : goods.filter(({ id }) => (left.get(id) ?? 0) > 0);
      const good = anyOf(there);
      if (good === undefined) return undefined;
      const quantity = good.stock > 1 && Math.random() < 0.2 ? 2 : 1;
      try {
        return (await shop.checkout(good.id, { sale, quantity, signal })).code;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refusals++;
      }
    }
    return undefined;
  };

  const buy = async (shop: Shop, user: string, code: string): Promise<Receipt | undefined> => {
    const place = await till.enter();
    let receipt: Receipt | undefined;
    try {
      // Without the signal: what was begun has an outcome, and the books want to know it.
      receipt = await shop.buy(code, { onWait: place.askedAgain });
      told.set(code, { user, receipt });
    } catch (error) {
      if (error instanceof OutcomeUnknown) told.set(code, { user });
      else if (error instanceof Refusal) refusals++;
      else throw error;
    } finally {
      place.leave(receipt?.success === true);
    }
    return receipt;
  };

  const visit = async (user: string): Promise<void> => {
    const shop = createShop({ baseUrl: url, user });
    const code = await choose(shop);
    if (code === undefined) return;
    await think();
    const receipt = await buy(shop, user, code);
    const luck = between(0, 100);
    if (!receipt?.success || luck < FORGET) return;
    await sleep(between(500, Math.min(PAY_MS, paymentMs / 2)), undefined, { signal });
    await office.settle(code, luck < FORGET + FAIL ? 'release' : 'confirm');
  };

  return {
    till,
    told,
    get refusals() {
      return refusals;
    },
    heard(items) {
      for (const [id, count] of Object.entries(items)) left.set(id, count);
    },
    come() {
      if (underWay.size >= AT_ONCE_MAX || signal.aborted) return;
      const visiting: Promise<void> = visit(`${CROWD}${++came}`)
        .catch((error) => {
          if (!signal.aborted) failure ??= error;
        })
        .finally(() => underWay.delete(visiting));
      underWay.add(visiting);
    },
    async leave() {
      await Promise.all(underWay);
      if (failure !== undefined) throw failure;
    },
  };
}
