import type { Asked } from '../http/asked.ts';
import { failureCode } from '../http/failure.ts';
import type { ProblemCode } from '../http/problem.ts';
import { isOpen, type LiveSale } from '../sale.ts';
import type { Shard } from '../shard/shard.ts';
import type { Batcher } from '../store/batcher.ts';
import type { CheckoutOp, CheckoutResult } from '../store/checkouts.ts';
import type { SaleStanding } from '../store/sales.ts';
import type { SaleQueue, Turn } from './sale-queue.ts';

/** A sale as the routes need it: its facts and the way into its stores. */
export interface OpenSale {
  readonly facts: LiveSale;
  /** The end as the contract writes it. */
  readonly endsAt: string;
  readonly checkouts: Batcher<CheckoutOp, CheckoutResult>;
  /** Absent: everybody may check out. */
  readonly queue?: Pick<SaleQueue, 'turnOf' | 'firstLook'>;
}

export interface VerdictDeps {
  /** The sale of that id, or the one that is meant without an id; at that time when one is given. */
  readonly findSale: (saleId: string | undefined, atMs?: number) => OpenSale | undefined;
  /** What Postgres says of a sale; asked only about one that this worker does not know. */
  readonly standingOf: (saleId: string) => Promise<SaleStanding | undefined>;
  /** What this worker remembers: a positive verdict refuses without asking Redis. */
  readonly shard: Pick<Shard, 'verdict'>;
  readonly onError: (asked: Asked, error: unknown) => void;
}

/** The verdict on a checkout: enough for the answer and for the attempt log. */
export interface Verdict {
  readonly outcome: 'accepted' | ProblemCode;
  readonly sale?: OpenSale | undefined;
  readonly result?: CheckoutResult;
  /** Of `not_admitted`: where in the queue the buyer stands; undefined without a ticket of his. */
  readonly turn?: Turn | undefined;
}

const REFUSAL = {
  'not-begun': 'sale_not_active',
  ended: 'sale_not_active',
  'sold-out': 'sale_sold_out',
  'no-item': 'item_not_found',
  'item-sold': 'item_already_sold',
  'already-in-cart': 'already_in_checkout',
  limit: 'user_limit_reached',
  paused: 'sale_paused',
  'too-many-carts': 'overloaded',
} as const satisfies Record<string, ProblemCode>;

const REMEMBERED = { sold: 'item_already_sold', 'sold-out': 'sale_sold_out' } as const;

/** What a checkout asks for. */
export interface CheckoutAsked {
  readonly op: CheckoutOp;
  readonly saleId: string | undefined;
  /** Of a sale with a queue: the buyer's ticket. */
  readonly ticket: string | undefined;
}

/** Decides a well-formed checkout. Synchronous, without a promise, when this worker knows that it is hopeless. */
export function decideCheckout(
  deps: VerdictDeps,
  asked: Asked,
  { op, saleId, ticket }: CheckoutAsked,
): Verdict | Promise<Verdict> {
  const sale = deps.findSale(saleId);
  if (sale?.queue === undefined) return decideAdmitted(deps, asked, op, saleId, sale);
  const { queue } = sale;
  const decide = () => refuseEarly(sale, queue, op, ticket) ?? decideAdmitted(deps, asked, op, saleId, sale);
  return queue.firstLook()?.then(decide) ?? decide();
}

function decideAdmitted(
  deps: VerdictDeps,
  asked: Asked,
  op: CheckoutOp,
  saleId: string | undefined,
  sale: OpenSale | undefined,
): Verdict | Promise<Verdict> {
  // Outside a sale's hours let Redis decide: this clock may differ a little. A line of a sold item can be taken out.
  const remembered =
    sale && op.quantity !== 0 && isOpen(sale.facts, Date.now())
      ? deps.shard.verdict(sale.facts.id, op.itemId)
      : undefined;
  if (typeof remembered === 'string') return { outcome: REMEMBERED[remembered], sale };
  const verdict = sale ? askStores(deps, op, sale, saleId, remembered) : refuseUnknown(deps, saleId);
  return verdict.catch((error) => {
    deps.onError(asked, error);
    return { outcome: failureCode(error), sale };
  });
}

/** Refuses whom the queue has not admitted, or not any more. Outside its hours the sale itself is the reason. */
function refuseEarly(
  sale: OpenSale,
  queue: NonNullable<OpenSale['queue']>,
  { userId }: CheckoutOp,
  ticket: string | undefined,
): Verdict | undefined {
  const turn = queue.turnOf(userId, ticket);
  if (turn?.state === 'admitted') return undefined;
  if (turn?.state === 'unknown') return { outcome: 'unavailable', sale };
  return isOpen(sale.facts, Date.now())
    ? { outcome: 'not_admitted', sale, turn }
    : { outcome: 'sale_not_active', sale };
}

/** Asks the owner of an item that may be sold, and then Redis. */
async function askStores(
  deps: VerdictDeps,
  op: CheckoutOp,
  sale: OpenSale,
  saleId: string | undefined,
  confirming: Promise<keyof typeof REMEMBERED | undefined> | undefined,
): Promise<Verdict> {
  const confirmed = await confirming;
  if (confirmed) return { outcome: REMEMBERED[confirmed], sale };
  const { result, ...verdict } = await askRedis(sale, op);
  if (verdict.outcome !== 'sale_not_active' || saleId !== undefined) return { ...verdict, result };
  // This worker's clock chose the sale, and may differ a little from Redis'. At the change of the hour, try once the
  // neighbour that Redis has already opened, or not yet closed.
  const { startsAtMs, endsAtMs } = sale.facts;
  const neighbour = deps.findSale(undefined, result.outcome === 'ended' ? endsAtMs : startsAtMs - 1);
  const mayAsk = neighbour !== undefined && neighbour !== sale && neighbour.queue === undefined;
  return mayAsk ? askRedis(neighbour, op) : { ...verdict, result };
}

async function askRedis(sale: OpenSale, op: CheckoutOp): Promise<Verdict & { result: CheckoutResult }> {
  const result = await sale.checkouts.add(op);
  const outcome = result.outcome === 'added' ? 'accepted' : REFUSAL[result.outcome as keyof typeof REFUSAL];
  return { outcome, sale, result };
}

/** A sale that is not among the live ones is over, or unknown, or so new that this worker has not been told yet. */
async function refuseUnknown({ standingOf }: VerdictDeps, saleId: string | undefined): Promise<Verdict> {
  const standing = saleId === undefined ? undefined : await standingOf(saleId);
  if (standing === undefined) return { outcome: 'sale_not_found' };
  return { outcome: standing.state === 'active' ? 'unavailable' : 'sale_not_active' };
}
