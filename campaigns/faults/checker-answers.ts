import type { Code, Rules, Violation } from './checker.ts';
import type { Entry, Mark } from './history.ts';

/** Every unknown outcome is resolved by posting the same code again, soon after the fault has healed. */
export function checkUnknown(
  codes: ReadonlyMap<string, Code>,
  marks: readonly Mark[],
  rules: Rules,
): Violation[] {
  const found: Violation[] = [];
  const healed = Math.max(0, ...marks.filter(({ name }) => name === 'healed').map(({ t }) => t));
  for (const [code, { posts }] of codes) {
    const first = posts.find((post) => post.type === 'unknown');
    if (first === undefined) continue;
    const after = posts.filter((post) => post.type !== 'invoke' && post.t > first.t);
    const end = after.find((post) => post.type === 'ok');
    // A client that disconnected was not waiting: only the last post counts.
    const settled = end?.t ?? after.at(-1)?.t ?? 0;
    if (settled - Math.max(first.t, healed) > rules.resolveMs) {
      const answers = after.slice(-3).map((post) => post.answer);
      found.push({
        kind: 'unresolved',
        detail: `${code}: unknown at ${first.t}, then ${after.length} answers: …${answers}`,
      });
    }
  }
  return found;
}

const EXPECTED = new Set(
  `accepted already_in_checkout user_limit_reached item_not_found item_already_sold sale_sold_out
  checkout_not_found all_items_sold already_processed outcome_unknown unavailable overloaded`.split(/\s+/),
);

export function checkAnswers(entries: readonly Entry[], rules: Rules): Violation[] {
  return entries.flatMap(({ type, status, answer, does, t }): Violation[] => {
    if (type === 'invoke') return [];
    if (status !== 0 && !EXPECTED.has(answer as string)) {
      return [{ kind: 'unexpected-answer', detail: `${does} at ${t}: ${status} ${answer}` }];
    }
    const excused = rules.noFailures === 'refused' && answer === 'ECONNREFUSED';
    const failed = rules.noFailures && !excused && (status === 0 || type !== 'ok');
    return failed ? [{ kind: 'failed-request', detail: `${does} at ${t}: ${status} ${answer}` }] : [];
  });
}

/** Time to notice that a store is away, and the longest refusal after that, on two busy cores. */
const NOTICE_MS = 1_500;
const REFUSE_MS = 250;

/** While a store is known to be away (marks `away` … `back`), its requests are refused at once. */
export function checkRefusals(entries: readonly Entry[], marks: readonly Mark[]): Violation[] {
  const away = marks.find(({ name }) => name.startsWith('away'));
  const back = marks.find(({ name }) => name === 'back');
  if (away === undefined || back === undefined) return [];
  const invoked = new Map<number, number>();
  const slow: number[] = [];
  let all = 0;
  for (const { op, type, t, does } of entries) {
    if (away.name === 'away-postgres' && does === 'checkout') continue;
    if (type === 'invoke') invoked.set(op, t);
    const from = invoked.get(op) as number;
    if (type === 'invoke' || from < away.t + NOTICE_MS || from > back.t) continue;
    all++;
    if (t - from > REFUSE_MS) slow.push(Math.round(t - from));
  }
  // A few may be probes for whether it is back.
  if (slow.length <= Math.max(2, all * 0.02)) return [];
  return [
    {
      kind: 'slow-refusal',
      detail: `${slow.length} of ${all} waited up to ${Math.max(...slow)} ms while a store was away`,
    },
  ];
}
