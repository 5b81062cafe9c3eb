import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPlaces, type PlaceRules, SEEN_MS, type Told } from '../../campaigns/faults/checker-places.ts';

/** One who was drawn and one who came later, each of whom joins, reads his ticket, and joins again. */
function goodRun() {
  const told: Told[] = [];
  let now = 0;
  const tell = (does: Told['does'], user: string, number: number, place: number | null, state: string) => {
    told.push({ does, user, from: now, t: now + 10, ticket: `S-1.${number}.${user}.mac`, place, state });
    now += 20;
  };
  tell('join', 'ada', 0, null, 'drawing');
  for (const does of ['join', 'read', 'join'] as const) {
    tell(does, 'ada', 0, 1, 'admitted');
    tell(does, 'bob', 1, 2, 'waiting');
  }
  return {
    told,
    tell,
    wait: (ms: number) => {
      now += ms;
    },
  };
}

const kinds = (extend: (run: ReturnType<typeof goodRun>) => void, rules: PlaceRules = {}) => {
  const run = goodRun();
  extend(run);
  return checkPlaces(run.told, rules).map(({ kind }) => kind);
};

test('who joins again and is told the same is told right', () => {
  assert.deepEqual(
    kinds(() => {}),
    [],
  );
});

test('a ticket whose place becomes another has moved', () => {
  assert.deepEqual(
    kinds(({ tell }) => tell('read', 'ada', 0, 2, 'admitted')),
    ['place-moved'],
  );
});

test('another place is right only when the first is over, or once Redis may have forgotten who joined', () => {
  const another: Parameters<typeof kinds>[0] = ({ tell }) => tell('join', 'ada', 2, 3, 'waiting');
  assert.deepEqual(kinds(another), ['place-moved']);
  assert.deepEqual(kinds(another, { lostAt: 100 }), []);
  assert.deepEqual(kinds(another, { lostAt: 1_000 }), ['place-moved']);
  const over: Parameters<typeof kinds>[0] = (run) => {
    another(run);
    run.tell('read', 'ada', 0, 1, 'over');
  };
  assert.deepEqual(kinds(over), []);
  const overLater: Parameters<typeof kinds>[0] = (run) => {
    another(run);
    run.wait(SEEN_MS);
    run.tell('read', 'ada', 0, 1, 'over');
  };
  assert.deepEqual(kinds(overLater), ['place-moved'], 'the other worker has seen it by then');
});

test('a number or a ticket of two buyers is told twice', () => {
  assert.deepEqual(
    kinds(({ tell }) => tell('join', 'cid', 1, 2, 'waiting')),
    ['place-twice'],
  );
  const run = goodRun();
  run.tell('join', 'cid', 2, 3, 'waiting');
  run.told.push({ ...(run.told[0] as Told), user: 'dan' });
  assert.deepEqual(
    checkPlaces(run.told).map(({ kind }) => kind),
    ['place-twice'],
  );
});

test('a later comer stands behind those who had their places when he first asked', () => {
  const late: Told = { ...(goodRun().told[0] as Told), user: 'dan', place: 3, state: 'waiting' };
  const behind = (from: number) =>
    kinds(({ told, tell, wait }) => {
      wait(1_000);
      tell('join', 'cid', 3, 4, 'waiting');
      told.push({ ...late, from, t: 2_000, ticket: 'S-1.2.dan.mac' });
    });
  assert.deepEqual(behind(1_500), ['place-moved']);
  assert.deepEqual(behind(1_000), [], 'he may have asked before');
});

test('a place that is over is given to nobody who joins again, and no turn goes back', () => {
  const after = (first: string, ms: number, does: Told['does'], state: string) =>
    kinds(({ tell, wait }) => {
      tell('read', 'ada', 0, 1, first);
      wait(ms);
      tell(does, 'ada', 0, 1, state);
    });
  assert.deepEqual(after('over', 0, 'join', 'admitted'), [], 'another worker may not have seen it');
  assert.deepEqual(after('over', SEEN_MS, 'read', 'over'), []);
  assert.deepEqual(after('over', SEEN_MS, 'join', 'over'), ['place-over']);
  assert.deepEqual(after('over', SEEN_MS, 'join', 'admitted'), ['place-moved', 'place-over']);
  assert.deepEqual(after('admitted', SEEN_MS, 'read', 'waiting'), ['place-moved']);
  assert.deepEqual(after('admitted', SEEN_MS, 'join', 'drawing'), ['place-moved']);
});

test('nobody has a place after the end of the sale', () => {
  assert.deepEqual(
    kinds(() => {}, { endedAt: 1_000 }),
    [],
  );
  assert.deepEqual(
    kinds(() => {}, { endedAt: 90 }),
    ['place-over', 'place-over'],
  );
});
