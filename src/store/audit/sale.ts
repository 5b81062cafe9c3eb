/** The check of a sale as a whole: its facts, its counters, its gate. */
import { setTimeout as sleep } from 'node:timers/promises';
import { epochOfGate, fenceOf, readDataset } from '../fence.ts';
import { keysOf } from '../keys.ts';
import { type Postgres, statement } from '../postgres.ts';
import type { Redis } from '../redis.ts';
import { scanHash } from '../scan.ts';
import type { Check } from './findings.ts';

const saleSql = statement('audit_sale');

/** A rebuild of 10,000 items takes less; report a gate that stays shut for longer. */
const GATE_MS = 5_000;
const POLL_MS = 100;

export interface SaleFacts {
  readonly id: string;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly total: number;
  readonly userLimit: number;
  readonly epoch: number;
  readonly retired: boolean;
  /** Rows of `items`, the sum of their stock, and rows of `purchases`: the units sold. */
  readonly items: number;
  readonly units: number;
  readonly purchases: number;
  /** Rows of `returns`, and the number of the last. */
  readonly returns: number;
  readonly last_return: number;
  /** Whether it has a payment window. */
  readonly hasWindow: boolean;
}

export async function readSaleFacts(postgres: Postgres, saleId: string): Promise<SaleFacts | undefined> {
  type Row = Pick<
    SaleFacts,
    'total' | 'epoch' | 'retired' | 'items' | 'units' | 'purchases' | 'returns' | 'last_return'
  >;
  type Times = { starts_ms: number; ends_ms: number; user_limit: number; has_window: boolean };
  const [row] = await postgres.query<Row & Times>(saleSql, [saleId]);
  if (row === undefined) return undefined;
  const { starts_ms: startsAtMs, ends_ms: endsAtMs, user_limit: userLimit, has_window: hasWindow } = row;
  return { ...row, id: saleId, startsAtMs, endsAtMs, userLimit, hasWindow };
}

/** Waits for an open gate, and returns its content; undefined when it stays shut. */
export async function untilGateIsOpen(redis: Redis, saleId: string): Promise<string | undefined> {
  const deadline = Date.now() + GATE_MS;
  for (;;) {
    const gate = (await redis.command('GET', keysOf(saleId).gate)) as string | null;
    if (gate !== null && epochOfGate(gate) !== undefined) return gate;
    if (Date.now() > deadline) return undefined;
    await sleep(POLL_MS);
  }
}

/** The sale has its items, sells no more than its total, and Redis counts, limits and fences as Postgres says. */
export const checkSale: Check = async ({ redis, postgres, saleId }) => {
  const state = redis && (await readState(redis, saleId));
  const facts = await readSaleFacts(postgres, saleId);
  const finding = facts && (factsAlone(facts) ?? (state && factsInBoth(facts, state)));
  return new Map(finding === undefined ? [] : [[saleId, finding]]);
};

function factsAlone({ units, total, purchases, returns, last_return: last }: SaleFacts): string | undefined {
  if (units !== total) return `has ${units} items, and its total is ${total}`;
  if (returns !== last) return `has ${returns} returns, and the last of them is number ${last}`;
  if (purchases > total) return `has sold ${purchases} items, and its total is ${total}`;
  return undefined;
}

type State = Awaited<ReturnType<typeof readState>>;

/** Reads a sale's state in Redis; the counter before and after the items, between which what they lack must lie. */
async function readState(redis: Redis, saleId: string) {
  const keys = keysOf(saleId);
  const readCounts = async () =>
    ((await redis.command('HMGET', keys.sale, 'sold', 'returned')) as (string | null)[]).map(Number);
  const words = ['HMGET', keys.sale, 'starts_ms', 'ends_ms', 'total', 'limit'];
  const stored = ((await redis.command(...words)) as (string | null)[]).map(Number);
  const [soldBefore = 0, returnedBefore] = await readCounts();
  // A scan may show an item twice while the hash is resized.
  const leftOf = new Map<string, number>();
  for await (const part of scanHash(redis, keys.items)) {
    for (const [item, left] of part) leftOf.set(item, Number(left));
  }
  const left = [...leftOf.values()].reduce((sum, units) => sum + units, 0);
  const [soldAfter = 0, returnedAfter] = await readCounts();
  const gate = String(await redis.command('GET', keys.gate));
  const isCounted = returnedBefore === returnedAfter;
  const dataset = await readDataset((...words) => redis.commandAt(keys.gate, ...words));
  return { stored, soldBefore, left, soldAfter, isCounted, gate, dataset };
}

function factsInBoth(facts: SaleFacts, state: State): string | undefined {
  const { stored, soldBefore, left, soldAfter, isCounted, gate, dataset } = state;
  const sold = facts.total - left;
  const known = [facts.startsAtMs, facts.endsAtMs, facts.total, facts.userLimit];
  const right = `${fenceOf(facts.epoch)}:${dataset}`;
  if (gate !== right) return `lets in "${gate}" at its gate instead of "${right}"`;
  if (known.some((value, i) => value !== stored[i]))
    return `has start, end, total and limit ${stored.join(', ')} in Redis and ${known.join(', ')} in Postgres`;
  if (soldAfter > facts.total) return `counts ${soldAfter} items as sold, and its total is ${facts.total}`;
  // The counter goes backwards when something comes back: then another look says more.
  if (isCounted && (sold < soldBefore || sold > soldAfter))
    return `counts ${soldAfter} items as sold in Redis, where ${sold} are`;
  return undefined;
}
