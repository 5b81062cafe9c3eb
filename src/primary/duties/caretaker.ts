import type { Log } from '../../log.ts';
import { pruneAnswers } from '../../store/admin-answers.ts';
import { addPartitions, countStrayAttempts, dropOldAttempts } from '../../store/attempts/partitions.ts';
import { Overloaded } from '../../store/errors.ts';
import type { Postgres } from '../../store/postgres.ts';
import type { Work } from '../every.ts';

export interface CaretakerOptions {
  readonly postgres: Postgres;
  readonly log: Log;
  /** Days after which attempts are dropped. */
  readonly keepDays: number;
  /** Hears how many attempts are in no day's partition. */
  readonly onStray: (attempts: number) => void;
}

/**
 * Keeps the attempt log in its days: makes partitions ahead, drops old ones. What a lock keeps from it is done the next time. And
 * forgets what was answered to the admin API long ago.
 */
export function createCaretaker({ postgres, log, keepDays, onStray }: CaretakerOptions): Work {
  const unlessLocked = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (err) {
      if (!(err instanceof Overloaded)) throw err;
      log.info({ err }, 'the attempt log is locked; its partitions are seen to later');
    }
  };
  return async () => {
    await unlessLocked(() => addPartitions(postgres, Date.now()));
    await unlessLocked(async () => {
      for (const name of await dropOldAttempts(postgres, keepDays))
        log.info({ partition: name }, 'old attempts dropped');
    });
    await pruneAnswers(postgres);
    onStray(await countStrayAttempts(postgres));
  };
}
