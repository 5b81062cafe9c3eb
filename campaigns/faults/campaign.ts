import { FAULTS, type Fault, faultOf, mixOf } from './faults.ts';
import { seeded } from './random.ts';
import { lineOf } from './report.ts';
import { type RunOptions, type RunResult, runOnce } from './run.ts';
import { ROOT } from './service.ts';
import { type Stand, startStand } from './stand.ts';
import { targetOf } from './targets.ts';

export interface CampaignOptions {
  /** Names of faults, `all`, or `mix`. */
  readonly faults: readonly string[];
  /** Runs of each fault; undefined: as many as the targets of the scoreboard ask for. */
  readonly runs: number | undefined;
  readonly seed: number;
  readonly items: number;
  readonly clients: number;
  readonly full: boolean;
  /** Where the code under test lies. */
  readonly root?: string;
  /** Ends the campaign at the first violation. */
  readonly untilViolated?: boolean;
  readonly say: (line: string) => void;
}

/**
 * How many runs share a cluster. Sales accumulate in it, each of them part of every rebuild, and a worker that was killed
 * often is forked with a back-off of seconds: a young cluster gets more done in the same time.
 */
const RUNS_PER_STAND = 4;

/** Runs faults, each `runs` times with different seeds, and returns the results. */
export async function runCampaign(options: CampaignOptions): Promise<RunResult[]> {
  const results: RunResult[] = [];
  const names = options.faults.flatMap((name) =>
    name === 'all' ? FAULTS.map((fault) => fault.name) : [name],
  );
  let stand: Stand | undefined;
  let startedFor = '';
  let used = 0;
  let isEnding = false;
  // The first signal ends it after the run under way, so that what has run counts; the second one at once.
  const onSignal = () => {
    if (isEnding) return void Promise.resolve(stand?.stop()).finally(() => process.exit(130));
    isEnding = true;
    options.say('The campaign ends after this run; at once when you interrupt it again.');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    for (const name of names) {
      const runs = options.runs ?? targetOf(name);
      for (let run = 0; run < runs; run++) {
        if (isEnding) return results;
        const seed = options.seed + run;
        const fault: Fault = name === 'mix' ? mixOf(seeded(seed)) : faultOf(name);
        const kind = fault.stands[0]!;
        const wanted = JSON.stringify([kind, fault.env]);
        if (stand === undefined || startedFor !== wanted || used++ >= RUNS_PER_STAND) {
          await stand?.stop();
          stand = undefined;
          stand = await startStand(kind, options.root ?? ROOT, fault.env);
          startedFor = wanted;
          used = 1;
        }
        const result = await runOnce({ ...options, stand, fault, seed } satisfies RunOptions);
        results.push(result);
        options.say(lineOf(result));
        if (result.violations.length === 0) continue;
        for (const { kind: what, detail } of result.violations.slice(0, 3))
          options.say(`    ${what}: ${detail}`);
        if (options.untilViolated) return results;
        // A broken stand must not affect the next run.
        await stand.stop();
        stand = undefined;
      }
    }
    return results;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await stand?.stop();
  }
}
