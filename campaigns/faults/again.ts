import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultContext } from './faults.ts';
import { untilReady } from './run.ts';

/** A fault that happens so many times in one run of full length, each time to services that are ready again; once in a short one. */
export const again =
  (times: number, inject: Fault['inject']): Fault['inject'] =>
  async (context: FaultContext) => {
    for (let n = 0; n < (context.full ? times : 1); n++) {
      if (n > 0) {
        await untilReady(context.stand);
        await sleep(context.random.between(100, 600));
      }
      await inject(context);
      context.count('times', 1);
    }
  };
