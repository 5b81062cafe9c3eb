/** What comes back, in the stores and in the model. */
import assert from 'node:assert/strict';
import { parseReturn } from '../../src/store/returns.ts';
import { agree, type Does } from './agree.ts';
import { givenOf } from './books.ts';
import { type Given, heldBy, unitsIn } from './holdings.ts';
import { law } from './model.ts';
import { holdingsOf, isGiven, type Model, sameGiven } from './recovery.ts';

type ReturnRow = { readonly code: string; readonly restocked: boolean; readonly lines: string };
type GivenRow = {
  readonly given: { readonly code: string; readonly number: number; readonly lines: string }[];
};

/** Takes back what each code holds of what is asked for, under the next numbers in the order of the codes. */
function giveBack(model: Model, args: unknown[], reply: unknown): readonly Given[] | undefined {
  const { records } = model;
  const [, codes, lines, , restocked] = args as [string, string[], (string | null)[], string, boolean];
  if (!records.retired && records.epoch !== records.opened)
    return agree(undefined, (reply as unknown[])[0], 'give_back');
  const before = records.returns.length;
  for (const code of [...codes].sort()) {
    const held = heldBy(holdingsOf(records), code);
    const asked = lines[codes.indexOf(code)]?.split(' ').map((line) => `+${line}`);
    const units = asked ? held.filter((unit) => unitsIn(asked).includes(unit)) : held;
    if (units.length > 0) records.returns.push({ code, units: units.sort(), restocked });
  }
  const fresh = records.returns.slice(before);
  model.given.push(...fresh);
  const [row] = reply as (GivenRow & { unknown: string[] })[];
  const told = row?.given.map((each) => [each.number, givenOf(each.code, restocked, each.lines.split(' '))]);
  // Units are told in the order of their items and numbers.
  const right = fresh.map((each, i) => [before + i + 1, { ...each, units: each.units }]);
  assert.deepEqual(
    told?.map(([number, each]) => [number, sorted(each as Given)]),
    right,
    'the answer to give_back',
  );
  assert.deepEqual(
    row?.unknown,
    codes.filter((code) => !records.committed.has(code)),
    'codes without a decision',
  );
  records.returns.splice(before, fresh.length, ...(told ?? []).map(([, each]) => each as Given));
  return records.returns.slice(before);
}

const sorted = (given: Given): Given => ({ ...given, units: [...given.units].sort() });

/** Brings Redis to returns: the number of its last one; -1 when nobody is let in; -2 when they do not fit what it has. */
function shelve(model: Model, [fence, , , ...args]: string[]): number {
  const { memory, records, dataset } = model;
  if (memory.gate !== `${fence}:${dataset}` || memory.facts === undefined) return -1;
  const fresh: Given[] = [];
  for (let i = 0; i < args.length; i += 2) {
    const { number, code, restocked, lines } = parseReturn(args[i] as string, args[i + 1] as string);
    const each = givenOf(code, restocked, lines);
    if (number > memory.returns.length) {
      if (number !== memory.returns.length + fresh.length + 1) return -2;
      fresh.push(each);
    } else if (!sameGiven(memory.returns[number - 1], each)) return -2;
  }
  if (fresh.some(({ code }) => !memory.decisions.has(code))) return -2;
  if (fresh.some(({ restocked }) => restocked) && !memory.stocked) return -1;
  memory.returns.push(...fresh);
  // Its return was committed, and Postgres has lost it since: Redis alone knows it, until the leader looks.
  if (fresh.some((each) => !isGiven(records.returns, each))) {
    law(model.isOlder, 'Redis has a return that Postgres never had');
    model.isUnsaved = true;
  }
  return memory.returns.length;
}

export const RETURN_DOES: Record<string, Does> = {
  'sql/returns_after'({ records }, [, after], reply) {
    const rows = (reply as ReturnRow[]).map((row) => givenOf(row.code, row.restocked, row.lines.split(' ')));
    return agree(records.returns.slice(Number(after)), rows, 'returns_after');
  },
  'sql/give_back': giveBack,
  'sql/note_returns'(model, args, reply) {
    const [, epoch, codes, , restocked, lines] = args as unknown as [
      string,
      number,
      string[],
      unknown,
      boolean[],
      string[],
    ];
    if (epoch !== model.records.epoch) return agree([], reply, 'note_returns');
    codes.forEach((code, i) => {
      const each = givenOf(code, restocked[i] as boolean, (lines[i] as string).split(' '));
      law(isGiven(model.given, each), `a return of ${code} is noted, and never was`);
      model.records.returns.push(each);
    });
    return codes.length;
  },
  'lua/shelve': (model, args, reply) => agree(shelve(model, args), reply, 'shelve'),
};
