import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../keys.ts';
import type { Postgres } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { checkDecisions, checkItems, checkUsers } from './checks.ts';
import type { Books, Check, Findings } from './findings.ts';
import {
  codesInPostgres,
  fieldsOf,
  itemsInPostgres,
  NOTHING_WAITS,
  readWaiting,
  usersInPostgres,
  usersInRedis,
} from './keys.ts';
import { checkPayments, paymentsInPostgres } from './payments.ts';
import { checkQueue } from './queue.ts';
import { checkReturns, returnsInPostgres } from './returns.ts';
import { checkSale, readSaleFacts, type SaleFacts, untilGateIsOpen } from './sale.ts';

/** What the audit compares: the sale as a whole, then each item, decision, user and return, payments where there are any, and its queue. */
export const CHECKS = ['sale', 'items', 'decisions', 'users', 'returns', 'payments', 'queue'] as const;

/** One thing on which the books disagree. */
export interface Difference {
  readonly saleId: string;
  readonly check: (typeof CHECKS)[number];
  /** The item, the code, the user, or the number of the return; the sale's id where the sale as a whole, or its queue, is meant. */
  readonly subject: string;
  /** What is wrong with it; behind the subject it reads as a sentence. */
  readonly problem: string;
}

/** A mismatch may be a purchase in flight: look this often, with this pause, before reporting it. */
const LOOKS = 3;
const PAUSE_MS = 300;
/** A rebuild during an audit makes what was read before worthless: the audit starts again, at most this often. */
const STARTS_MAX = 3;

/**
 * Audits the books of a sale in both stores, or in Postgres alone once the sale is retired; while the service runs,
 * or at rest. Locks nothing: checks.ts says why a sale in progress shows no differences.
 * `rest` is awaited after each part of some thousand rows, so that an audit need not slow buyers down.
 * Throws as `Redis.command`, `Postgres.query` and `rest` do.
 */
export async function auditSale(
  redis: Redis,
  postgres: Postgres,
  saleId: string,
  rest: () => Promise<void> = async () => {},
): Promise<Difference[]> {
  const whole = (problem: string): Difference[] => [{ saleId, check: 'sale', subject: saleId, problem }];
  for (let start = 1; ; start++) {
    const before = await readSaleFacts(postgres, saleId);
    if (before === undefined) return whole('is not in Postgres');
    if (before.retired) return auditBooks(booksOf(postgres, before), before, rest);
    const gate = await untilGateIsOpen(redis, saleId);
    const differences =
      gate === undefined
        ? whole('cannot be sold: its gate in Redis is shut or missing')
        : await auditBooks(booksOf(postgres, before, redis), before, rest);
    if (differences.length === 0 || start === STARTS_MAX) return differences;
    const after = await readSaleFacts(postgres, saleId);
    if (after?.epoch === before.epoch && !after.retired) return differences;
  }
}

function booksOf(postgres: Postgres, { id: saleId, userLimit }: SaleFacts, redis?: Redis): Books {
  const waiting = async () => (redis ? await readWaiting(redis, postgres, saleId) : NOTHING_WAITS);
  return { saleId, userLimit, postgres, redis, readWaiting: waiting };
}

async function auditBooks(
  books: Books,
  { items: count, hasWindow }: SaleFacts,
  rest: () => Promise<void>,
): Promise<Difference[]> {
  const { saleId, redis, postgres } = books;
  const keys = keysOf(saleId);
  // The first look leaves out the outbox: what waits there looks wrong, and is checked again with the outbox.
  const quick: Books = { ...books, readWaiting: async () => NOTHING_WAITS };
  const doubtful = async (check: Check, ...sources: (AsyncIterable<string[]> | undefined)[]) => {
    const subjects = new Set<string>();
    for (const source of sources) {
      for await (const part of source ?? []) {
        for (const subject of (await check(quick, part)).keys()) subjects.add(subject);
        await rest();
      }
    }
    return subjects;
  };
  const items = await doubtful(
    checkItems,
    itemsInPostgres(postgres, saleId, count),
    redis && fieldsOf(redis, keys.items),
  );
  const codes = await doubtful(
    checkDecisions,
    codesInPostgres(postgres, saleId),
    redis && fieldsOf(redis, keys.decisions),
  );
  const users = await doubtful(
    checkUsers,
    usersInPostgres(postgres, saleId),
    redis && usersInRedis(redis, saleId),
  );

  const returns = await doubtful(
    checkReturns,
    returnsInPostgres(postgres, saleId),
    redis && fieldsOf(redis, keys.returns),
  );
  const payments = hasWindow
    ? await doubtful(checkPayments, codesInPostgres(postgres, saleId), paymentsInPostgres(postgres, saleId))
    : [];

  // Check what waits in any case: if it contradicts what is committed, it would wait for ever.
  const waiting = await books.readWaiting();
  const settled = [
    await settle(books, 'sale', checkSale, [saleId]),
    await settle(books, 'items', checkItems, [...items, ...waiting.byItem.keys()]),
    await settle(books, 'decisions', checkDecisions, [...codes, ...waiting.byCode.keys()]),
    await settle(books, 'users', checkUsers, [...users, ...waiting.byUser.keys()]),
    await settle(books, 'returns', checkReturns, returns),
    await settle(books, 'payments', checkPayments, payments),
    await settle(books, 'queue', checkQueue, [saleId]),
  ];
  return settled.flat();
}

/** Checks the subjects until they are right. Those that are wrong at every look are differences. */
async function settle(
  books: Books,
  check: Difference['check'],
  run: Check,
  subjects: Iterable<string>,
): Promise<Difference[]> {
  let findings: Findings = new Map();
  let left = [...new Set(subjects)];
  for (let look = 1; left.length > 0; look++) {
    findings = await run(books, left);
    left = [...findings.keys()];
    if (look === LOOKS) break;
    if (left.length > 0) await sleep(PAUSE_MS);
  }
  return [...findings].map(([subject, problem]) => ({ saleId: books.saleId, check, subject, problem }));
}
