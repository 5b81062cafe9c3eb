import type { LiveSale } from '../sale.ts';
import { type Batcher, createBatcher } from './batcher.ts';
import { commitSound } from './commit.ts';
import { type Decided, decideCodes, doubtSale, type Undecided } from './decide.ts';
import type { Decision } from './decision.ts';
import { Fenced, Unanswered, Unavailable } from './errors.ts';
import { createForgetting, type Forgetting } from './forgetting.ts';
import type { Postgres } from './postgres.ts';
import { findDecisions } from './receipts.ts';
import type { Redis } from './redis.ts';

/** Codes of one batch: one script call of about 2 ms, one commit of a few hundred rows. */
const BATCH_MAX = 256;
/** Batches under way per worker and sale. With two, batches are half as large and cost a fifth more CPU per purchase. */
const IN_FLIGHT_MAX = 1;
/** Codes that may wait per worker and sale: less than a second of work. */
const PENDING_MAX = 4_096;

/**
 * After a commit that failed, no code is decided for this time: Postgres may answer and still be unable to commit
 * (full disk, read-only after a failover), and decisions would only pile up in the outbox. Then one batch tries.
 */
const HOLD_MS = 500;

/** `unknown`: perhaps decided, and not known to be committed. */
export type PurchaseResult = Decided | Undecided | { readonly outcome: 'unknown' };

export interface PurchaseDeps {
  readonly redis: Redis;
  readonly postgres: Postgres;
  /** The sale as it is now; its epoch may grow. */
  readonly sale: () => LiveSale;
  readonly onError: (error: unknown) => void;
  /** For tests: how long committed entries stay in the outbox, in ms; 0: not at all. */
  readonly forgetAfterMs?: number;
  readonly onBatch?: ((size: number) => void) | undefined;
}

/**
 * A batcher of the purchases of one sale. A batch is decided in Redis, committed in Postgres, and only then
 * answered. `add` rejects with Unavailable or Overloaded when nothing happened.
 */
export function createPurchases(deps: PurchaseDeps): Batcher<string, PurchaseResult> {
  let heldUntilMs = 0;
  const forgetting = createForgetting(deps.redis, () => deps.sale().id, deps.onError, deps.forgetAfterMs);
  const onCommitFailed = (error: unknown) => {
    heldUntilMs = performance.now() + HOLD_MS;
    deps.onError(error);
  };

  return createBatcher<string, PurchaseResult>({
    batchMax: BATCH_MAX,
    inFlightMax: IN_FLIGHT_MAX,
    pendingMax: PENDING_MAX,
    onBatch: deps.onBatch,
    async run(posted) {
      // While Postgres is away a decision could not be answered, so make none.
      if (!deps.postgres.isUp || performance.now() < heldUntilMs) throw new Unavailable('Postgres is away');
      const codes = [...new Set(posted)];
      const results = new Map<string, PurchaseResult>();
      const answers = await buyCodes({ ...deps, forgetting, onCommitFailed }, codes);
      codes.forEach((code, i) => {
        results.set(code, answers[i] as PurchaseResult);
      });
      return posted.map((code) => takeResult(results, code));
    },
  });
}

interface BuyDeps extends PurchaseDeps {
  readonly forgetting: Forgetting;
  readonly onCommitFailed: (error: unknown) => void;
}

async function buyCodes(deps: BuyDeps, codes: readonly string[]): Promise<readonly PurchaseResult[]> {
  const sale = deps.sale();
  const unknown = { outcome: 'unknown' } as const;
  try {
    const { fence, entryId, results } = await decideCodes(deps.redis, sale, codes);
    const known = await commitResults(deps, sale, results);
    if (known === undefined) return results.map((result) => ('decision' in result ? unknown : result));
    if (known.isSound && entryId !== '') deps.forgetting.add(fence, entryId);
    if (!known.isSound) doubtSale(deps.redis, sale).catch(deps.onError);
    return results.map((result) => ('decision' in result ? known.answerOf(result) : result));
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error;
    return codes.map(() => unknown);
  }
}

/** What Postgres says of the decisions of a batch. */
interface Known {
  /** Whether it says of each what Redis says. */
  readonly isSound: boolean;
  /** The answer to a code is the committed row, or unknown when there is none. */
  readonly answerOf: (result: Decided) => PurchaseResult;
}

/** Commits the decisions among the results; undefined when that failed, or they were fenced. The outbox keeps those. */
async function commitResults(
  { postgres, onCommitFailed, onError }: BuyDeps,
  sale: LiveSale,
  results: readonly (Decided | Undecided)[],
): Promise<Known | undefined> {
  const decisions = results.flatMap((result) => ('decision' in result ? [result.decision] : []));
  if (decisions.length === 0) return { isSound: true, answerOf: (result) => result };
  try {
    const sound = await commitSound(postgres, sale, decisions, (_decision, error) => onError(error));
    if (sound === undefined) return void onError(new Fenced(sale.id));
    const { standing, contradicted, dueMs } = sound;
    const found = standing.size > 0 ? await findDecisions(postgres, [...standing]) : [];
    const committed = new Map(found.map((row) => [row.decision.code, row]));
    const differs = ({ code, userId, lines }: Decision) => {
      const row = committed.get(code)?.decision;
      return row !== undefined && (row.userId !== userId || row.lines.join() !== lines.join());
    };
    return {
      isSound: contradicted.size === 0 && !decisions.some(differs),
      answerOf(result) {
        const { code } = result.decision;
        if (contradicted.has(code)) return { outcome: 'unknown' };
        const row = committed.get(code);
        if (row !== undefined) return { ...row, outcome: result.outcome };
        const due = dueMs.get(code);
        return due === undefined ? result : { ...result, payment: { state: 'pending', dueMs: due } };
      },
    };
  } catch (error) {
    onCommitFailed(error);
    return undefined;
  }
}

/** When one batch has a code more than once, the first post made the decision, and the others found it. */
function takeResult(results: Map<string, PurchaseResult>, code: string): PurchaseResult {
  const result = results.get(code) as PurchaseResult;
  if (result.outcome === 'decided') results.set(code, { ...result, outcome: 'decided-before' });
  return result;
}
