import { FAULTS, type Fault, faultOf, mixOf } from './faults.ts';
import { seeded } from './random.ts';
import { lineOf } from './report.ts';
import { type RunResult, runOnce } from './run.ts';
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
  /** Faults that run side by side, each on a stand of its own; 1 if not given. */
  readonly lanes?: number;
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

/** What a campaign has come to. */
interface Progress {
  readonly results: RunResult[];
  isEnding: boolean;
}

/** Runs faults, each `runs` times with different seeds, `lanes` of them side by side, and returns the results. */
export async function runCampaign(options: CampaignOptions): Promise<RunResult[]> {
  const progress: Progress = { results: [], isEnding: false };
  const waiting = options.faults.flatMap((name) =>
    name === 'all' ? FAULTS.map((fault) => fault.name) : [name],
  );
  const lanes = Array.from({ length: options.lanes ?? 1 }, () => openLane(options, progress));
  const stop = () => Promise.all(lanes.map((lane) => lane.stop()));
  // The first signal ends it after the runs under way, so that what has run counts; the second one at once.
  const onSignal = () => {
    if (progress.isEnding) return void stop().finally(() => process.exit(130));
    progress.isEnding = true;
    options.say('The campaign ends after this run; at once when you interrupt it again.');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    // All runs of a fault are in one lane: what it sets up for a stand, such as a receiver's port, is there once.
    const runAll = async (lane: Lane) => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await lane.runFault(name);
    };
    await Promise.all(lanes.map(runAll));
    return progress.results;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await stop();
  }
}

/** Runs one fault after the other on a stand of its own. */
interface Lane {
  runFault(name: string): Promise<void>;
  stop(): Promise<void>;
}

function openLane(options: CampaignOptions, progress: Progress): Lane {
  let stand: Stand | undefined;
  let startedFor = '';
  let used = 0;
  const stop = async () => {
    await stand?.stop();
    stand = undefined;
  };
  const standFor = async ({ stands, env }: Fault): Promise<Stand> => {
    const wanted = JSON.stringify([stands[0], env]);
    if (stand !== undefined && startedFor === wanted && used++ < RUNS_PER_STAND) return stand;
    await stop();
    stand = await startStand(stands[0]!, options.root ?? ROOT, env);
    startedFor = wanted;
    used = 1;
    return stand;
  };
  return {
    stop,
    async runFault(name) {
      const runs = options.runs ?? targetOf(name);
      for (let run = 0; run < runs && !progress.isEnding; run++) {
        const seed = options.seed + run;
        const fault = name === 'mix' ? mixOf(seeded(seed)) : faultOf(name);
        const result = await runOnce({ ...options, stand: await standFor(fault), fault, seed });
        progress.results.push(result);
        options.say(lineOf(result));
        if (result.violations.length === 0) continue;
        for (const { kind, detail } of result.violations.slice(0, 3)) options.say(`    ${kind}: ${detail}`);
        if (options.untilViolated) progress.isEnding = true;
        // A broken stand must not affect the next run.
        await stop();
      }
    },
  };
}
