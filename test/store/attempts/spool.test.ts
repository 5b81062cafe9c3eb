import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { adoptSegments, listSegments, openSpool, shipSegment } from '../../../src/store/attempts/segments.ts';
import {
  type Attempt,
  type AttemptLog,
  FINISHED,
  OPEN,
  openAttemptLog,
} from '../../../src/store/attempts/spool.ts';
import { atEnd } from '../../support/at-end.ts';
import { until } from '../../support/processes.ts';
import { openStores } from '../../support/stores.ts';

const { postgres, sql, dataDir } = await openStores();
let spools = 0;
const newSpool = () => openSpool(join(dataDir, `spool-${spools++}`));

/** A log that a failing test does not leave open. */
function openLog(dir: string, slot: number): AttemptLog {
  const log = openAttemptLog(dir, slot, 'run1');
  atEnd(() => {
    try {
      log.close();
    } catch {} // closed by its test
  });
  return log;
}

const attemptOf = (requestId: string, facts: Partial<Attempt> = {}): Attempt => ({
  atMs: Date.now(),
  saleId: 'S-0000000000',
  userId: 'ada',
  itemId: 'item',
  outcome: 'item_already_sold',
  code: undefined,
  requestId,
  ...facts,
});
const ship = async (dir: string) => {
  for (const path of listSegments(dir).paths) await shipSegment(postgres, path);
};
const logged = async (prefix: string) =>
  (
    await sql('select request_id from checkout_attempts where request_id like $1 order by 1', `${prefix}%`)
  ).map((row) => row.request_id);
const linesIn = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);

test('an attempt is in the file when its promise resolves, with all others of its turn', async () => {
  const dir = newSpool();
  const log = openLog(dir, 3);
  const turn = ['a', 'b', 'c'].map((id) => log.record(attemptOf(id)));
  await turn[0];
  const [name = ''] = readdirSync(dir);
  assert.match(name, new RegExp(`^run1-${process.pid}-.*\\${OPEN}$`));
  assert.deepEqual(
    linesIn(join(dir, name)).map((line) => line.split('\t').at(-1)),
    ['a', 'b', 'c'],
  );
  log.close();
});

test('every field reaches Postgres; what was missing is null', async () => {
  const dir = newSpool();
  const log = openLog(dir, 7);
  const atMs = Date.UTC(2026, 10, 22, 8, 0, 0, 123);
  const code = `CHK-S-0123456789-${'a'.repeat(32)}`;
  await log.record(
    attemptOf('full-1', { atMs, saleId: 'S-0123456789', itemId: 'i:1', outcome: 'accepted', code }),
  );
  await log.record(attemptOf('full-2', { atMs, saleId: undefined, userId: undefined, itemId: undefined }));
  log.close();
  await ship(dir);
  const rows = await sql(
    `select at, worker, sale_id, user_id, item_id, outcome, code, request_id from checkout_attempts
     where request_id like 'full-%' order by request_id`,
  );
  const at = new Date(atMs);
  const none = { sale_id: null, user_id: null, item_id: null, code: null };
  assert.deepEqual(rows, [
    {
      at,
      worker: 7,
      sale_id: 'S-0123456789',
      user_id: 'ada',
      item_id: 'i:1',
      outcome: 'accepted',
      code,
      request_id: 'full-1',
    },
    { at, worker: 7, ...none, outcome: 'item_already_sold', request_id: 'full-2' },
  ]);
});

test('a segment is finished after a while by itself, and the next attempt goes to another', async () => {
  const dir = newSpool();
  const log = openLog(dir, 0);
  await log.record(attemptOf('age-1'));
  assert.deepEqual(listSegments(dir).paths, []);
  await until('a finished segment', () => listSegments(dir).paths.length === 1);
  await log.record(attemptOf('age-2'));
  log.close();
  assert.equal(listSegments(dir).paths.length, 2);
  await ship(dir);
  assert.deepEqual(await logged('age-'), ['age-1', 'age-2']);
});

test('a log in which nothing was recorded leaves no file', () => {
  const dir = newSpool();
  openLog(dir, 0).close();
  assert.deepEqual(readdirSync(dir), []);
});

test("a dead worker's segment is adopted without the line that was cut off", async () => {
  const dir = newSpool();
  const log = openLog(dir, 0);
  await log.record(attemptOf('torn-1'));
  await log.record(attemptOf('torn-2'));
  const whole = join(dir, readdirSync(dir)[0]!);
  const torn = join(dir, `run1-99999-torn${OPEN}`);
  copyFileSync(whole, torn);
  appendFileSync(torn, linesIn(whole)[0]!.slice(0, -1));
  writeFileSync(join(dir, `run1-99999-first${OPEN}`), 'cut off in its first line');
  writeFileSync(join(dir, `run1-99999-empty${OPEN}`), '');
  const large = Buffer.alloc(200_000, 'x');
  large[10] = 10;
  writeFileSync(join(dir, `run0-4-large${OPEN}`), large);
  await adoptSegments(dir, (run, pid) => run === 'run1' && pid !== 99_999);
  assert.deepEqual(linesIn(torn.replace(OPEN, FINISHED)), linesIn(whole));
  assert.equal(readFileSync(join(dir, `run0-4-large${FINISHED}`)).length, 11);
  assert.deepEqual(listSegments(dir).paths.length, 2);
  assert.ok(existsSync(whole), 'that of a living process is left alone');
  assert.equal(readdirSync(dir).length, 3);
  log.close();
});

test('when nobody writes any more every open segment is adopted', async () => {
  const dir = newSpool();
  for (const name of ['0-1-a', '1-2-b']) writeFileSync(join(dir, name + OPEN), 'line\n');
  writeFileSync(join(dir, `0-1-c${FINISHED}`), 'line\n');
  await adoptSegments(dir, () => false);
  assert.deepEqual(listSegments(dir), {
    paths: ['0-1-a', '0-1-c', '1-2-b'].map((name) => join(dir, name + FINISHED)),
    refused: 0,
    bytes: 15,
  });
});

test('a segment is shipped once: again, at the same time, or after its file came back, it adds nothing', async () => {
  const dir = newSpool();
  const log = openLog(dir, 0);
  await Promise.all(['once-1', 'once-2'].map((id) => log.record(attemptOf(id))));
  log.close();
  const [path = ''] = listSegments(dir).paths;
  copyFileSync(path, `${path}.copy`);
  await Promise.allSettled([shipSegment(postgres, path), shipSegment(postgres, path)]);
  assert.equal(existsSync(path), false);
  copyFileSync(`${path}.copy`, path);
  await shipSegment(postgres, path);
  assert.equal(existsSync(path), false);
  assert.deepEqual(await logged('once-'), ['once-1', 'once-2']);
  const [segment] = await sql(
    'select attempts from attempt_segments where id = $1',
    path.split('/').at(-1)!.replace(FINISHED, ''),
  );
  assert.deepEqual(segment, { attempts: 2 });
});

test('a segment that Postgres does not take stays, and nothing of it is in the log', async () => {
  const dir = newSpool();
  const log = openLog(dir, 0);
  await log.record(attemptOf('kept-1'));
  log.close();
  const [path = ''] = listSegments(dir).paths;
  await sql('alter table checkout_attempts rename column code to code_away');
  await assert.rejects(shipSegment(postgres, path));
  await sql('alter table checkout_attempts rename column code_away to code');
  assert.deepEqual(await logged('kept-'), []);
  assert.deepEqual(listSegments(dir).paths, [path]);
  await shipSegment(postgres, path);
  assert.deepEqual(await logged('kept-'), ['kept-1']);
});

test('a disk that takes no more refuses the attempts of the turn as Unavailable; those before are whole', async () => {
  const dir = newSpool();
  const script = fileURLToPath(new URL('fill-spool.js', import.meta.url));
  const command = 'ulimit -f 16 && exec "$0" "$@"';
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', command, process.execPath, script, dir], {
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const { recorded, errors } = JSON.parse(stdout);
  assert.deepEqual(errors, ['10 Unavailable', '10 Unavailable']);
  assert.ok(recorded > 0);
  const [name = ''] = readdirSync(dir);
  const text = readFileSync(join(dir, name), 'utf8');
  assert.ok(text.endsWith('\n'), 'what the disk took of the last write is cut off again');
  assert.equal(linesIn(join(dir, name)).length, recorded);
  await adoptSegments(dir, () => false);
  await ship(dir);
  assert.equal((await logged('request-')).length, recorded);
});
