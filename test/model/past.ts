/**
 * Runs that once failed, in their smallest form, as a campaign prints them: the random runs may take long to find
 * them again. Those of planted bugs are here too, named after what was taken away.
 */
import type { Script } from './commands.ts';

const sale = { items: 3, limit: 2, scheduled: false, real: false, finish: false } as const;

export const PAST: Readonly<Record<string, Script>> = {
  'an old copy brings back a decision from before the last rebuild': {
    ...sale,
    commands: [
      { do: 'checkout', worker: 0, ops: [[0, 0]] },
      { do: 'purchase', worker: 0, codes: [0], course: [1, 'waits'] },
      { do: 'go back', commands: 1 },
      { do: 'keep' },
      { do: 'go back', commands: 2 },
      { do: 'keep' },
    ],
  },
};
