/** What a good client does: check out, purchase, and try again as the server asks, with the same code. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, Lost, type Reply } from './client.ts';
import type { Kind, Recorder } from './record.ts';

/** A user at work: a connection, where to write down what happens, and how long to go on trying. */
export interface Session {
  readonly connection: Connection;
  readonly record: Recorder;
  /** Absent: the active sale is meant. */
  readonly saleId: string | undefined;
  /** Deadline for retries, by performance.now. */
  readonly giveUpAtMs: number;
  /** When the request should have been sent, on the same clock: its latency counts from here. Absent: when it is. */
  readonly dueAtMs?: number;
}

/** The least pause before another try when the server names none, and when the connection was lost. */
const PAUSE_MS = 100;

export type CheckoutOutcome =
  /** In the cart; `code` buys it. */
  | { readonly code: string }
  /** The stable code of the problem: item_already_sold, user_limit_reached, …; `gave_up` after the last try. */
  | { readonly refused: string };

/** Puts an item into the user's cart. */
export async function checkOut(session: Session, user: string, item: string): Promise<CheckoutOutcome> {
  const sale = session.saleId === undefined ? '' : `&sale_id=${session.saleId}`;
  const reply = await insist(session, 'checkout', `/checkout?user_id=${user}&id=${item}${sale}`);
  if (reply === undefined) return { refused: 'gave_up' };
  if (reply.status === 200) return { code: wordOf(reply.body, '"code":"') };
  const problem = problemOf(reply);
  // The answer to an earlier try was lost: the item is in the cart, and this is its code.
  const code = problem === 'already_in_checkout' ? wordOf(reply.body, '"checkout_code":"') : '';
  return code === '' ? { refused: problem } : { code };
}

export type PurchaseOutcome =
  | { readonly bought: readonly string[]; readonly lost: readonly string[] }
  | { readonly refused: string };

/** Buys the cart of a code, and records the answer. */
export async function buy(session: Session, user: string, code: string): Promise<PurchaseOutcome> {
  const { record } = session;
  const target = `/purchase?code=${code}`;
  const reply = await insist(session, 'purchase', target, () =>
    record.told({ code, user, bought: undefined }),
  );
  if (reply === undefined) return { refused: 'gave_up' };
  if (reply.status !== 200 && reply.status !== 409) return { refused: problemOf(reply) };
  // Only ids are read of the receipt, and they are ASCII.
  const answer = JSON.parse(reply.body) as Receipt & { receipt?: Receipt };
  const lines = (answer.receipt ?? answer).purchased_items;
  const ids = (sold: boolean) => lines.filter((line) => line.sold === sold).map((line) => line.id);
  const bought = ids(true);
  record.told({ code, user, bought });
  return { bought, lost: ids(false) };
}

interface Receipt {
  readonly purchased_items: readonly { readonly id: string; readonly sold: boolean }[];
}

/**
 * Posts until there is an answer other than "try again": 503 and 429 after the time they name, a lost connection
 * after a short one. Undefined when it gave up. `onUnknown` is called when the server may have done it.
 */
async function insist(
  session: Session,
  kind: Kind,
  target: string,
  onUnknown?: () => void,
): Promise<Reply | undefined> {
  for (let first = true; ; first = false) {
    const beganMs = (first ? session.dueAtMs : undefined) ?? performance.now();
    let waitMs = PAUSE_MS;
    try {
      const reply = await session.connection.request('POST', target);
      if (reply.status === 200) {
        session.record.answered(kind, '200', beganMs);
        return reply;
      }
      const problem = problemOf(reply);
      session.record.answered(kind, `${reply.status} ${problem}`, beganMs);
      if (reply.status !== 503 && reply.status !== 429) return reply;
      if (problem === 'outcome_unknown') onUnknown?.();
      waitMs = Math.max(waitMs, reply.retryAfterS * 1_000);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      session.record.answered(kind, error.wasSilent ? 'silence' : 'connection lost', beganMs);
      onUnknown?.();
    }
    // Spread the retries: a crowd that returns at the same moment would be refused again.
    waitMs *= 1 + Math.random() / 4;
    if (performance.now() + waitMs > session.giveUpAtMs) return undefined;
    await sleep(waitMs);
  }
}

/** The stable code of a problem. */
export function problemOf(reply: Reply): string {
  return wordOf(reply.body, '"code":"') || 'without a code';
}

/** The word that follows a mark, up to the next quote; '' without the mark. Much cheaper than parsing JSON. */
function wordOf(body: string, mark: string): string {
  const at = body.indexOf(mark);
  return at < 0 ? '' : body.slice(at + mark.length, body.indexOf('"', at + mark.length));
}
