import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCampaign } from '../../campaigns/model/campaign.ts';
import { runScript } from '../../campaigns/model/finale.ts';
import { PAST } from '../../campaigns/model/past.ts';
import { openModelStores } from '../../campaigns/model/stores.ts';
import { atEnd } from '../support/at-end.ts';

/** The short version; the long one is main.ts. Starts first. */
const RUNS = Number(process.env.MODEL_RUNS ?? 150);
/** A new seed every day: the same on all machines, so that a failure can be repeated. */
const SEED = Number(process.env.MODEL_SEED ?? Math.floor(Date.now() / 86_400_000));
const TIME_LIMIT_MS = process.env.MODEL_RUNS === undefined ? { timeLimitMs: 18_000 } : {};
const REAL_RUNS = 3;

const stores = await openModelStores();
atEnd(stores.close);

for (const [name, script] of Object.entries(PAST)) {
  test(name, () => runScript(stores, script));
}

test(`stores and model agree through ${RUNS} random runs of buying, faults and rebuilds`, async () => {
  const report = await runCampaign(stores, { runs: RUNS, seed: SEED, ...TIME_LIMIT_MS });
  assert.equal(report.failure, undefined);
});

test('stores and model agree when Redis is killed and starts from its file', async () => {
  const report = await runCampaign(stores, { runs: REAL_RUNS, seed: SEED, real: true, timeLimitMs: 8_000 });
  assert.equal(report.failure, undefined);
});
