/** The specification, second part: commits, and rebuilds that interfere with each other. */
import { type Given, type Holdings, heldIn, takenIn } from './holdings.ts';
import {
  type Decision,
  type Decisions,
  emptyMemory,
  type Facts,
  law,
  type Memory,
  type Records,
  type Stocks,
  sameDecision,
} from './model.ts';

/** A sale with everything that is to be known of it. */
export interface Model {
  readonly saleId: string;
  /** The dataset that connections reach: "run_id:master_replid". */
  dataset: string;
  memory: Memory;
  records: Records;
  /** The highest epoch that there ever was: the leader remembers it. */
  highest: number;
  /** Whether Postgres ever came back older. */
  isOlder: boolean;
  /** Postgres came back older, and what only Redis knows has not been committed again yet. */
  isUnsaved: boolean;
  /** Every decision that Redis ever made, the same code perhaps again after a loss; with its epoch. */
  readonly made: (Decision & { readonly code: string; readonly epoch: number })[];
  /** Every code that was ever given out, the newest last. */
  readonly codes: string[];
  /** The decisions that customers got, by code. */
  readonly acknowledged: Decisions;
  /** Every return that was ever noted. */
  readonly given: Given[];
  /** The returns that were answered. */
  answered: Given[];
  /** What each rebuild has loaded, by its epoch: it went through while Postgres had just this. */
  readonly loaded: Map<number, Stocks>;
  /** What the facts of the sale became, change by change, since Postgres lost any. */
  changes: Facts[];
  /** The facts of the last change of the sale that was answered, unless Postgres has lost it since. */
  held: Facts | undefined;
  /** The highest limit that there ever was. */
  limitMax: number;
}

export const createModel = (saleId: string, facts: Facts, stocks: Stocks, dataset: string): Model => ({
  saleId,
  dataset,
  memory: emptyMemory(),
  records: { epoch: 0, opened: 0, facts, stocks, retired: false, committed: new Map(), returns: [] },
  highest: 0,
  isOlder: false,
  isUnsaved: false,
  made: [],
  codes: [],
  acknowledged: new Map(),
  given: [],
  answered: [],
  loaded: new Map(),
  changes: [],
  held: undefined,
  limitMax: facts.limit,
});

/** Who holds what by Postgres. */
export const holdingsOf = ({ committed, returns }: Records): Holdings => ({ decisions: committed, returns });

/** Whether all units of a return have come back from its code. */
export const isGiven = (returns: readonly Given[], { code, units }: Given): boolean => {
  const back = new Set(returns.flatMap((each) => (each.code === code ? each.units : [])));
  return units.every((unit) => back.has(unit));
};

/** The epoch of those that are let in by this very Redis; undefined while nobody is. */
export function servingEpoch({ memory, dataset }: Model): number | undefined {
  const [, epoch, opened] = /^v1:(\d+):(.*)$/.exec(memory.gate) ?? [];
  return opened === dataset && memory.facts !== undefined ? Number(epoch) : undefined;
}

/** A customer gets a decision: it is committed, and no client ever gets another one for the same code. */
export function acknowledge(model: Model, code: string, decision: Decision): void {
  const { records, acknowledged, isOlder } = model;
  // The commit was lost after it was seen.
  if (isOlder && !records.committed.has(code)) return;
  law(sameDecision(records.committed.get(code), decision), `${code} is answered, and not committed so`);
  law(
    sameDecision(acknowledged.get(code) ?? decision, decision),
    `${code} is answered in two different ways`,
  );
  acknowledged.set(code, decision);
}

/** Whether decisions that were read under this epoch are let into Postgres; then what is new of them is there. */
export function commit({ records, made, limitMax }: Model, epoch: number, decisions: Decisions): boolean {
  if (epoch !== records.epoch) return false;
  for (const [code, decision] of decisions) {
    if (records.committed.has(code)) continue;
    const valid = made.some((d) => d.code === code && sameDecision(d, decision) && d.epoch >= records.opened);
    law(valid, `${code} is committed, and was never decided so, or is void`);
    records.committed.set(code, decision);
    const held = heldIn(holdingsOf(records), decision.user).length;
    law(held <= limitMax, `${decision.user} holds ${held} items, above the limit`);
  }
  const bought = takenIn(holdingsOf(records));
  law(new Set(bought).size === bought.length, 'an item is committed twice');
  return true;
}

/** Entries leave the outbox, if they are still there: only what is committed or void may. Returns their number. */
export function forget({ memory, records, isUnsaved }: Model, ids: readonly string[]): number {
  const present = ids.flatMap((id) => memory.outbox.get(id) ?? []);
  for (const { epoch, decisions } of present) {
    for (const code of decisions.keys())
      law(
        isUnsaved || epoch < records.opened || records.committed.has(code),
        `${code} is forgotten uncommitted`,
      );
  }
  for (const id of ids) memory.outbox.delete(id);
  return present.length;
}

/** The gate's epoch, of a rebuild or of those let in; 0 when there is no gate. */
const epochAt = (gate: string): number => Number(/v1:(\d+):/.exec(gate)?.[1] ?? 0);

/** Begins a rebuild, which shuts the gate: [the epoch that the decisions are of, whether it was doubted]; -1 when it may not. */
export function begin({ memory }: Model, epoch: number, token: string): [number, number] | -1 {
  const before = memory.gate;
  if (epochAt(before) >= epoch) return -1;
  memory.gate = token;
  const of = memory.facts === undefined ? epochAt(before) : memory.opened;
  return [of, before.startsWith('doubted:') ? 1 : 0];
}

/** A store is not what it was: what neither holds any more, in a form that counts, is lost for good. */
export function mourn(model: Model): void {
  const { memory, records, acknowledged } = model;
  const epoch = memory.facts === undefined ? epochAt(memory.gate) : memory.opened;
  const survives = (code: string) =>
    records.committed.has(code) ||
    (memory.decisions.has(code) && epoch > 0 && epoch >= records.opened) ||
    [...memory.outbox.values()].some((entry) => entry.decisions.has(code) && entry.epoch >= records.opened);
  for (const code of acknowledged.keys()) if (!survives(code)) acknowledged.delete(code);
  const isKnown =
    epoch > 0 && epoch >= records.opened ? [...records.returns, ...memory.returns] : records.returns;
  model.answered = model.answered.filter((each) => survives(each.code) && isGiven(isKnown, each));
}

/** Clears what Postgres rewrites: nothing that is neither committed nor void may be lost with it. Carts stay. */
export function clear(model: Model): void {
  const { memory, records, made } = model;
  for (const code of memory.decisions.keys()) {
    const isVoid = !made.some((d) => d.code === code && d.epoch >= records.opened);
    law(isVoid || records.committed.has(code), `${code} is cleared uncommitted`);
  }
  // What came back of a code that neither store knows any more says nothing.
  for (const each of memory.returns) {
    law(
      isUnknown(model, each) || isGiven(records.returns, each),
      `a return of ${each.code} is cleared unnoted`,
    );
  }
  memory.facts = undefined;
  memory.stocked = false;
  memory.decisions.clear();
  memory.returns = [];
}

/** Whether a return is from before the last rebuild that went through, or its code was lost by both stores. */
function isUnknown({ memory, records }: Model, { code }: Given): boolean {
  const epoch = memory.facts === undefined ? epochAt(memory.gate) : memory.opened;
  return epoch < records.opened || !(records.committed.has(code) || memory.decisions.has(code));
}

/** Whether a rebuild has gone through as far as Postgres is concerned: no newer one has begun. */
export function note({ records, loaded }: Model, epoch: number): boolean {
  if (epoch !== records.epoch || records.retired) return false;
  records.opened = epoch;
  loaded.set(epoch, records.stocks);
  return true;
}

/** Opens the gate: 1; -1 when it is another's; -2 when the items are not there. Redis then holds what is committed. */
export function open(model: Model, token: string, fence: string, facts: Facts): 1 | -1 | -2 {
  const { memory, records } = model;
  if (memory.gate !== token) return -1;
  if (!memory.stocked) return -2;
  memory.gate = fence;
  memory.facts = facts;
  memory.opened = epochAt(fence);
  memory.stocks = model.loaded.get(memory.opened) as Stocks;
  memory.damaged = false;
  memory.decisions.clear();
  for (const [code, decision] of records.committed) memory.decisions.set(code, decision);
  memory.returns = [...records.returns];
  for (const [user, { code }] of memory.carts) if (records.committed.has(code)) memory.carts.delete(user);
  if (servingEpoch(model) !== undefined) law(memory.outbox.size === 0, 'the gate opens on a full outbox');
  return 1;
}

/** What must hold whenever somebody is let in: Redis knows all that is committed, and what else it knows waits. */
export function checkServing(model: Model): void {
  const { memory, records, held, limitMax } = model;
  const epoch = servingEpoch(model);
  if (epoch === undefined) return;
  const waiting = new Map([...memory.outbox.values()].flatMap((entry) => [...entry.decisions]));
  for (const [code, decision] of records.committed)
    law(
      sameDecision(memory.decisions.get(code), decision),
      `${code} is committed, and Redis has it otherwise`,
    );
  for (const code of memory.decisions.keys())
    law(
      model.isUnsaved || records.committed.has(code) || waiting.has(code),
      `${code} is neither committed nor waiting`,
    );
  for (const entry of memory.outbox.values()) law(entry.epoch === epoch, 'an entry is of another epoch');
  if (!model.isUnsaved)
    law(
      memory.returns.every((each, i) => each === records.returns[i] || sameGiven(each, records.returns[i])),
      'Redis has another return',
    );
  law(
    held === undefined || isLater(memory.facts as Facts, held),
    'a change of the sale was answered, and Redis decides by older facts',
  );
  const bought = takenIn(memory);
  law(new Set(bought).size === bought.length, 'an item is sold twice');
  for (const { user } of memory.decisions.values())
    law(heldIn(memory, user).length <= limitMax, `${user} is above the limit`);
}

/** Whether these facts are the others, or of a later version. */
const isLater = (facts: Facts, than: Facts): boolean =>
  facts.version > than.version || sameFacts(facts, than);

export const sameFacts = (a: Facts | undefined, b: Facts | undefined): boolean =>
  a?.version === b?.version &&
  a?.paused === b?.paused &&
  a?.limit === b?.limit &&
  a?.startsMs === b?.startsMs &&
  a?.endsMs === b?.endsMs;

export const sameGiven = (a: Given | undefined, b: Given | undefined): boolean =>
  a?.code === b?.code && a?.restocked === b?.restocked && a?.units.join() === b?.units.join();
