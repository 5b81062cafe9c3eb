import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beatBox, leaveBoxes, type OwnBox } from '../../src/store/boxes.ts';
import { openStores } from '../support/stores.ts';

const { postgres, sql } = await openStores();
const box = (id: string, more: Partial<OwnBox> = {}): OwnBox => ({
  ...{ id, host: 'here', port: 8080, release: '1.0.0', workers: 2, leader: false },
  ...more,
});
const namesOf = (boxes: readonly { id: string }[]) => boxes.map(({ id }) => id).sort();
const silence = (id: string, seconds: number) =>
  sql('update boxes set seen_at = now() - make_interval(secs => $2) where id = $1', id, seconds);

test('each box hears of the others, of their change, and of their silence', async () => {
  assert.deepEqual(await beatBox(postgres, box('one')), []);
  const [first, ...rest] = await beatBox(postgres, box('two', { port: 0, leader: true }));
  assert.deepEqual([first?.id, first?.workers, first?.leader, rest], ['one', 2, false, []]);
  assert.ok(first!.silentS < 60 && first!.uptimeS >= first!.silentS);
  await beatBox(postgres, box('two', { port: 8081, release: '2.0.0', workers: 1 }));
  const [second] = await beatBox(postgres, box('one'));
  // A run has one release; its port is known when it listens.
  assert.deepEqual([second?.release, second?.workers, second?.leader], ['1.0.0', 1, false]);
  assert.deepEqual(await sql(`select port from boxes where id = 'two'`), [{ port: 8081 }]);
  await silence('two', 599);
  assert.equal(Math.floor((await beatBox(postgres, box('one')))[0]!.silentS), 599);
});

test('a box that leaves, or was silent for ten minutes, is forgotten; one that wakes is there again', async () => {
  await beatBox(postgres, box('three'));
  await leaveBoxes(postgres, 'three');
  await silence('two', 601);
  assert.deepEqual(await beatBox(postgres, box('one')), []);
  assert.deepEqual(await sql('select id from boxes'), [{ id: 'one' }]);
  await silence('one', 5_000);
  await beatBox(postgres, box('two'));
  assert.deepEqual(await beatBox(postgres, box('one')).then(namesOf), ['two']);
});

test('no more are listed than a page holds', async () => {
  await sql(`insert into boxes select 'box-' || n, 'here', 1, '1', 1, false from generate_series(1, 100) n`);
  assert.equal((await beatBox(postgres, box('one'))).length, 64);
});
