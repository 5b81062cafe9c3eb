/**
 * `npm run perf -- load <profile>`: a crowd on a service for a while; then the books are compared.
 * Exit code 0: the books agree; 1: they do not; 2: it could not be done.
 */
import { parseArgs } from 'node:util';
import { settleBooks } from './books.ts';
import { EXIT, readCount, runCommand, UsageError } from './command.ts';
import { createHistogram } from './histogram.ts';
import { PROFILES, type Profile } from './profiles.ts';
import { createRecorder, type Recorder } from './record.ts';
import { createProgress, printReport } from './report.ts';
import { listItems } from './shop.ts';
import { chooseSale, openTarget, TARGET_HELP, TARGET_OPTIONS } from './target.ts';
import { runVisitors } from './visitors.ts';

const HELP = `npm run perf -- load <profile> [options]

A crowd of users on the service that runs on DATA_DIR, or else on one of its own
that it starts and stops. The sale has an item for each of them at least.

${Object.entries(PROFILES)
  .map(([name, { users, seconds }]) => `  ${name.padEnd(20)}${users} users, ${seconds} s`)
  .join('\n')}

${TARGET_HELP}
  --seconds 20             for this time instead of the profile's`;

const PROGRESS_MS = 500;
/** Beyond the crowd's time: its last visitors, and room. */
const ROOM_MS = 10_000;

function readOptions() {
  const options = {
    ...TARGET_OPTIONS,
    seconds: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  return parseArgs({ options, allowPositionals: true });
}

function readProfile(words: readonly string[], secondsText: string | undefined): Profile {
  const name = words.join(' ') === 'realistic' ? 'realistic default' : words.join(' ');
  const profile = PROFILES[name];
  if (!profile) throw new UsageError(`the profile is one of: ${Object.keys(PROFILES).join(', ')}.`);
  return { ...profile, seconds: readCount('seconds', secondsText, profile.seconds) };
}

/** Shows requests per second, the recent p95 and what is sold; returns how to end it. */
function showProgress(recorder: Recorder, total: number, soldBefore: number, seconds: number): () => void {
  const progress = createProgress(total);
  const beganMs = performance.now();
  let recent = createHistogram();
  const timer = setInterval(() => {
    recent.merge(recorder.takeRecent());
    const leftS = Math.max(0, Math.round(seconds - (performance.now() - beganMs) / 1_000));
    const more = `   p95 ${recent.percentile(0.95).toFixed(1)} ms   ${leftS} s left`;
    if (progress.show(soldBefore + recorder.data.sold, recorder.data.requests, more))
      recent = createHistogram();
  }, PROGRESS_MS);
  return () => {
    clearInterval(timer);
    progress.end();
  };
}

await runCommand('load', async () => {
  const { values, positionals } = readOptions();
  if (values.help) {
    console.log(HELP);
    return EXIT.ok;
  }
  const profile = readProfile(positionals, values.seconds);
  const target = await openTarget(values);
  try {
    const need = { ms: profile.seconds * 1_000 + ROOM_MS, items: values.items ? 1 : profile.users };
    const { id: saleId, ...sale } = await chooseSale(target, values, need);
    const items = await listItems(target.url, saleId, false);
    console.log(`${profile.users} users for ${profile.seconds} s on ${saleId} at ${target.url}`);
    const prefix = `v${Date.now().toString(36)}-`;
    const recorder = createRecorder();
    const endProgress = showProgress(recorder, sale.total_items, sale.items_sold, profile.seconds);
    const cpu = process.cpuUsage();
    const beganMs = performance.now();
    await runVisitors({ url: target.url, saleId, items, profile, prefix }, recorder);
    endProgress();
    const { user, system } = process.cpuUsage(cpu);
    printReport(recorder.data, (user + system) / 1_000 / (performance.now() - beganMs));
    return await settleBooks({ target, record: recorder.data, prefix, saleId, soldOut: false });
  } finally {
    await target.leave();
  }
});
