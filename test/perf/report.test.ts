import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rowOf } from '../../perf/report.ts';

const TEXT = '123,456/1,000,000 sold   16,204 requests/s   p95 12.3 ms   287 s left';

test('progress is one row at any width: with a bar where there is room, cut where there is not', () => {
  for (const columns of [0, undefined, 10, 40, 72, 80, 100, 200]) {
    const row = rowOf(0.5, TEXT, columns);
    assert.ok(row.length < (columns || 80), `${row.length} in ${columns}`);
    assert.equal(row.includes('█'), (columns || 80) >= 80);
    assert.ok(columns !== undefined && columns > 0 && columns < 71 ? row.endsWith('…') : row.endsWith(TEXT));
  }
});

test('the bar is as full as the share', () => {
  const bar = (share: number) => rowOf(share, TEXT, 200).split(' ')[0];
  assert.equal(bar(0), '░'.repeat(30));
  assert.equal(bar(0.5), '█'.repeat(15) + '░'.repeat(15));
  assert.equal(bar(1), '█'.repeat(30));
});
