/** How often each fault must have run for the targets of the scoreboard (`--full`). */
const RUNS: Readonly<Record<string, number>> = {
  // Row 1: 200 kills of workers, of five kinds, some two in each run.
  'worker-kill': 22,
  'worker-kill-before-script': 22,
  'worker-kill-after-script': 22,
  'worker-kill-before-commit': 22,
  'worker-kill-after-commit': 22,
  // Row 2: three times in each run.
  'primary-kill': 17,
  // Row 3: 50 old copies, of three kinds.
  'redis-kill-old': 20,
  'redis-flush-undone': 15,
  'box-pause-redis-old': 15,
  // Row 4: emptied 30 times.
  'redis-flush': 14,
  'two-boxes-flush': 8,
  'rebuild-crash': 8,
  // Row 5: killed three times in each run.
  'postgres-kill': 17,
  'postgres-outage': 5,
  // Row 12: twice in each run.
  'rolling-restart': 25,
  // Rows 13 and 14.
  'redis-failback': 20,
  'redis-sentinel': 20,
  'cluster-master-killed': 20,
  'proxy-swap': 20,
  'postgres-older': 20,
  'postgres-read-only': 20,
  // Rows 15 and 16: 100,000 returns, at some thousand in a run of a minute.
  'returns-kills': 25,
};
const RUNS_OF_OTHERS = 3;

/** Runs of a fault that the targets ask for, or that show that it holds. */
export const targetOf = (fault: string): number => RUNS[fault] ?? RUNS_OF_OTHERS;
