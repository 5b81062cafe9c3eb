/** Runs many scripts, chosen by a seed; reports the first that fails in its smallest form. */
import fc from 'fast-check';
import { Unanswered, Unavailable } from '../../src/store/errors.ts';
import { anyScript, print, type Script } from './commands.ts';
import { runScript } from './finale.ts';
import type { ModelStores } from './stores.ts';

/** Runs between two clearings of the stores, so that a campaign of 10,000 runs works on small tables. */
const RUNS_PER_CLEARING = 200;

export interface CampaignOptions {
  readonly runs: number;
  readonly seed: number;
  /** Where in the seed's runs to begin, as a report says it; then one run is enough. */
  readonly path?: string | undefined;
  /** Restarts of Redis are real ones. */
  readonly real?: boolean;
  /** Stop after this time, however many runs there have been. */
  readonly timeLimitMs?: number;
  readonly onRun?: (runs: number) => void;
}

export interface Report {
  readonly runs: number;
  /** Undefined when all went well. */
  readonly failure: string | undefined;
}

/**
 * A store did not answer in time, as on a box that is too busy: such a run says nothing. What a process of the run
 * itself throws never comes here.
 */
const isSilence = (error: unknown): boolean => error instanceof Unanswered || error instanceof Unavailable;

export async function runCampaign(stores: ModelStores, options: CampaignOptions): Promise<Report> {
  const { real = false, seed, path, runs, timeLimitMs, onRun } = options;
  let done = 0;
  const property = fc.asyncProperty(anyScript(real), async (script) => {
    if (done % RUNS_PER_CLEARING === 0) await stores.clear();
    done++;
    await runScript(stores, script).catch(async (error) => {
      if (!isSilence(error)) throw error;
      await stores.untilAnswering();
      fc.pre(false);
    });
    onRun?.(done);
  });
  const details = await fc.check(property, {
    seed,
    numRuns: runs,
    ...(path === undefined ? {} : { path }),
    ...(timeLimitMs === undefined ? {} : { interruptAfterTimeLimit: timeLimitMs }),
  });
  if (!details.failed) return { runs: details.numRuns, failure: undefined };
  if (details.counterexample === null)
    return { runs: details.numRuns, failure: 'too few runs: the stores hardly answer' };
  const [script] = details.counterexample as [Script];
  const error = details.errorInstance as Error;
  const replay = `--seed ${details.seed} --path ${details.counterexamplePath}${real ? ' --real' : ''}`;
  const failure = `${error.stack}\n\nafter ${details.numShrinks} shrinks:\n${print(script)}\n\nreplay: ${replay}`;
  return { runs: details.numRuns, failure };
}
