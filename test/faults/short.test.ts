import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign } from '../../campaigns/faults/campaign.ts';
import { runPlanted } from '../../campaigns/faults/planted.ts';

/** What CI runs of the campaign: one run of each of these, and one bug that must be caught. Starts first. */
const FAULTS = [
  'worker-kill-after-script',
  'worker-kill-after-commit',
  'redis-kill',
  'redis-flush',
  'postgres-kill',
  'same-code-storm',
  'primary-kill',
];
const OPTIONS = { runs: 1, seed: 1, items: 400, clients: 25, full: false };

const noMore = { timeout: 170_000 };

test('every promise holds through kills of workers, primary, Redis and Postgres', noMore, async (t) => {
  const results = await runCampaign({ ...OPTIONS, faults: FAULTS, say: (line) => t.diagnostic(line) });
  assert.equal(results.length, FAULTS.length);
  for (const { fault, violations, folder } of results) {
    assert.deepEqual(violations, [], `${fault}: see ${folder}`);
  }
  assert.ok(results.every(({ acknowledged }) => acknowledged > 50));
});

test('a planted bug is caught: a missing key counts as unsold', noMore, async (t) => {
  const names = ['missing key = unsold'];
  const results = await runPlanted({ ...OPTIONS, names, say: (line) => t.diagnostic(line) });
  assert.deepEqual(
    results.map(({ name, caught }) => ({ name, caught })),
    [{ name: names[0], caught: true }],
  );
});
