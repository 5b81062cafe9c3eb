import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBalance } from '../../src/http/balance.ts';

/** How many of 1,000 answers ask their clients to come again. */
const asked = (open: number, fairShare: number) => {
  const balance = createBalance(() => open);
  balance.setFairShare(fairShare);
  return Array.from({ length: 1_000 }, balance.takeSurplus).filter(Boolean).length;
};

test('who has many more connections than the mean lets go of what is too much', () => {
  assert.deepEqual([asked(45, 32), asked(150, 100), asked(10, 5)], [13, 50, 5]);
});

test('who is near the mean, or below it, asks nobody', () => {
  assert.deepEqual([asked(35, 32), asked(4, 2), asked(1, 0.5), asked(0, 20), asked(20, 20)], [0, 0, 0, 0, 0]);
});

test('the surplus is counted anew each time it is told, and nothing is asked before', () => {
  const balance = createBalance(() => 40);
  assert.equal(balance.takeSurplus(), false);
  balance.setFairShare(20);
  assert.equal(balance.takeSurplus(), true);
  balance.setFairShare(40);
  assert.equal(balance.takeSurplus(), false);
});
