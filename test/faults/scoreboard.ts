import type { PlantedResult } from './planted.ts';
import type { RunResult } from './run.ts';

export function writeScoreboard(
  _results: readonly RunResult[],
  _planted: readonly PlantedResult[],
  _seed: number,
): string {
  return 'todo';
}
