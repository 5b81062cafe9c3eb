import type { Violation } from './checker.ts';
import type { Dump } from './dumps.ts';
import type { Entry } from './history.ts';

/** Purchases = decisions, and Redis says what Postgres says. */
export function checkBooks(dump: Dump): Violation[] {
  const { redis, purchases, decisions } = dump;
  const found: Violation[] = [];
  const differ = (detail: string) => void found.push({ kind: 'books-differ', detail });

  if (redis.waiting > 0) differ(`${redis.waiting} outbox entries are still waiting`);
  const sold = new Map(purchases.map(({ item, code }) => [item, code]));
  if (sold.size !== purchases.length) differ('an item has two rows in purchases');
  const decided = new Map<string, string>();
  for (const { code, lines } of decisions) {
    for (const line of lines.split(' ')) if (line[0] === '+') decided.set(line.slice(1), code);
  }
  compare('purchases', sold, 'decisions', decided, differ);
  compare(
    'decisions in Postgres',
    new Map(decisions.map(({ code, user, lines }) => [code, `${user} ${lines}`])),
    'in Redis',
    new Map(Object.entries(redis.decisions).map(([code, text]) => [code, text.slice(text.indexOf(' ') + 1)])),
    differ,
  );
  for (const item of dump.items) {
    const inRedis = redis.items[item];
    if (inRedis !== (sold.has(item) ? '0' : '1'))
      differ(`${item}: ${inRedis} in Redis, ${sold.get(item) ?? 'unsold'} in Postgres`);
  }
  if (redis.sold !== purchases.length)
    differ(`Redis counts ${redis.sold} sold, Postgres ${purchases.length}`);
  const perUser = new Map<string, string>();
  for (const { user } of purchases) perUser.set(user, String(Number(perUser.get(user) ?? 0) + 1));
  compare('bought in Postgres', perUser, 'in Redis', new Map(Object.entries(redis.bought)), differ);
  return found;
}

function compare(
  leftName: string,
  left: ReadonlyMap<string, string>,
  rightName: string,
  right: ReadonlyMap<string, string>,
  differ: (detail: string) => void,
): void {
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(key) !== right.get(key)) {
      differ(`${key}: ${leftName} ${left.get(key) ?? '–'}, ${rightName} ${right.get(key) ?? '–'}`);
    }
  }
}

/** Every answered checkout is in the log exactly once, as it was answered; an unanswered one at most once. */
export function checkAttempts(entries: readonly Entry[], dump: Dump): Violation[] {
  const found: Violation[] = [];
  const logged = new Map<string, { count: number; outcome: string; code: string | null }>();
  for (const { request, outcome, code } of dump.attempts) {
    logged.set(request, { count: (logged.get(request)?.count ?? 0) + 1, outcome, code });
  }
  const asked = new Set<string>();
  for (const { does, type, request, status, answer, code, t } of entries) {
    if (does !== 'checkout') continue;
    asked.add(request as string);
    if (type === 'invoke' || status === 0) continue;
    const row = logged.get(request as string);
    if (row === undefined)
      found.push({ kind: 'attempt-not-logged', detail: `${request} at ${t}: ${answer}` });
    else if (row.outcome !== answer || (answer === 'accepted' && row.code !== code)) {
      found.push({
        kind: 'attempt-not-logged',
        detail: `${request}: answered ${answer} ${code}, logged ${row.outcome} ${row.code}`,
      });
    }
  }
  for (const [request, { count }] of logged) {
    if (count > 1) found.push({ kind: 'attempt-logged-twice', detail: `${request}: ${count} rows` });
    if (!asked.has(request)) found.push({ kind: 'attempt-invented', detail: request });
  }
  return found;
}
