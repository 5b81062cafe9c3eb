import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Rules } from '../../campaigns/faults/checker.ts';
import { checkLogs } from '../../campaigns/faults/checker-log.ts';
import { openLog } from '../../src/log.ts';
import { createSalvagedReport } from '../../src/primary/duties/salvaged.ts';
import { temporaryDir } from '../support/stores.ts';

const RULES: Rules = { losesRedis: false, losesLog: false, noFailures: false, resolveMs: 10_000 };
const path = join(temporaryDir(), 'service.log');

const kindsIn = (lines: readonly string[], rules: Partial<Rules> = {}) => {
  writeFileSync(path, lines.join('\n'));
  return checkLogs([path], 'S-1', { ...RULES, ...rules }).map(({ kind }) => kind);
};

/** What the service writes, by its own code: the checker must not look for another sentence. */
function salvaged(sale: string, decisions: number): string {
  let line = '';
  const { log } = openLog('silent', 'test');
  const error = (fields: object, msg: string) => {
    line = JSON.stringify({ level: 'error', ...fields, msg });
  };
  const counted: number[] = [];
  const report = createSalvagedReport(Object.assign(Object.create(log), { error }), (n) => counted.push(n));
  report(sale, decisions);
  assert.deepEqual(counted, decisions === 0 ? [] : [decisions]);
  return line;
}

test('a decision of the sale that Redis alone knew is a violation, unless a store may have lost data', () => {
  assert.deepEqual(kindsIn([salvaged('S-1', 2)]), ['saved-late']);
  assert.deepEqual(kindsIn([salvaged('S-2', 2), salvaged('S-1', 0)]), []);
  assert.deepEqual(kindsIn([salvaged('S-1', 2)], { losesRedis: true }), []);
  assert.deepEqual(kindsIn([salvaged('S-1', 2)], { losesLog: true }), []);
});

test('a process that failed is a violation whatever was lost; half a line and a sentence are none', () => {
  const fatal = JSON.stringify({ level: 'fatal', msg: 'the primary failed' });
  assert.deepEqual(kindsIn([fatal], { losesRedis: true, losesLog: true }), ['service-broken']);
  assert.deepEqual(kindsIn(['flashsale: Postgres cannot be reached.', fatal.slice(0, 20), '']), []);
});
