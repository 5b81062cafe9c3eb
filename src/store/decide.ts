import type { LiveSale } from '../sale.ts';
import { type Decision, type Payment, parseDecision } from './decision.ts';
import { Fenced } from './errors.ts';
import { fenceOf } from './fence.ts';
import { keysOf } from './keys.ts';
import { nameIn, priceIn } from './label.ts';
import { type Redis, script } from './redis.ts';
import { FENCED, OF_PURCHASE } from './statuses.ts';

export type Decided = {
  readonly outcome: 'decided' | 'decided-before';
  readonly decision: Decision;
  /** Names of the decision's lines, in their order. */
  readonly names: readonly (string | null)[];
  /** Their prices, in minor units of the sale's currency; absent: none has one. */
  readonly prices?: readonly (number | null)[];
  /** Known once it is committed, where the sale has a payment window and something was bought. */
  readonly payment?: Payment;
};

export type Undecided = { readonly outcome: 'not-begun' | 'ended' | 'no-code' | 'limit' | 'paused' };

export interface DecidedBatch {
  /** The fence that was shown. */
  readonly fence: string;
  /** The outbox entry that holds what was decided now; '' when nothing was. */
  readonly entryId: string;
  /** One result per code, in their order. */
  readonly results: readonly (Decided | Undecided)[];
}

const purchaseScript = script('purchase');
const forgetScript = script('forget');
const doubtScript = script('doubt');

/** Decides codes of one sale in Redis, each once and for ever. `codes` are distinct. Throws as `Redis.run` does. */
export async function decideCodes(
  redis: Redis,
  sale: LiveSale,
  codes: readonly string[],
): Promise<DecidedBatch> {
  const k = keysOf(sale.id);
  const keys = [k.gate, k.sale, k.items, k.names, k.carts, k.codes, k.bought, k.decisions, k.outbox, k.free];
  const fence = fenceOf(sale.epoch);
  const reply = await redis.run(purchaseScript, keys, [
    fence,
    redis.soldChannel(sale.id),
    sale.id,
    codes.join(' '),
  ]);
  if (reply === FENCED) throw new Fenced(sale.id);
  const [entryId, answers, labels] = reply as [string, string, (string | null)[]];
  return { fence, entryId, results: readResults(sale.id, codes, answers.split('\n'), labels) };
}

/** Each answer is "status decision"; the labels are those of all decisions' lines, one after the other. */
function readResults(
  saleId: string,
  codes: readonly string[],
  answers: readonly string[],
  labels: readonly (string | null)[],
): (Decided | Undecided)[] {
  const hasPrices = labels.some((label) => priceIn(label) !== null);
  const names = hasPrices ? labels.map((label) => label && nameIn(label)) : labels;
  let named = 0;
  return codes.map((code, i) => {
    const answer = answers[i] as string;
    const space = answer.indexOf(' ');
    const outcome = OF_PURCHASE[answer.slice(0, space) as unknown as keyof typeof OF_PURCHASE];
    if (outcome !== 'decided' && outcome !== 'decided-before') return { outcome };
    const decision = parseDecision(saleId, code, answer.slice(space + 1));
    const from = named;
    named += decision.lines.length;
    const shown = { outcome, decision, names: names.slice(from, named) };
    return hasPrices ? { ...shown, prices: labels.slice(from, named).map(priceIn) } : shown;
  });
}

/**
 * Deletes outbox entries whose decisions are committed, if the gate still lets in what is shown, a fence or a token.
 * Returns false when it is not. An entry that stays is the sweeper's.
 */
export async function forgetEntries(
  redis: Redis,
  saleId: string,
  shown: string,
  entryIds: readonly string[],
): Promise<boolean> {
  const keys = keysOf(saleId);
  return (
    (await redis.run(forgetScript, [keys.gate, keys.sale, keys.outbox], [shown, ...entryIds])) !== FENCED
  );
}

/** Shuts the gate of a sale that Postgres has contradicted; the leader rebuilds it. Throws as `Redis.run` does. */
export async function doubtSale(redis: Redis, sale: Pick<LiveSale, 'id' | 'epoch'>): Promise<void> {
  await redis.run(doubtScript, [keysOf(sale.id).gate], [fenceOf(sale.epoch)]);
}
