import { Overloaded } from './errors.ts';

/**
 * Gathers operations that arrive in the same turn of the event loop and runs them as one batch.
 * While `inFlightMax` batches are under way, later operations wait and the next batch grows: the
 * pace is set by the store, not by a timer.
 */
export interface Batcher<Op, Result> {
  /** Resolves with the operation's own result; rejects with what `run` threw, or Overloaded at once. */
  add(op: Op): Promise<Result>;
  /** Operations that wait or are under way. */
  readonly pending: number;
}

export interface BatcherOptions<Op, Result> {
  /** Runs a batch; its results are in the order of the operations. */
  readonly run: (ops: readonly Op[]) => Promise<readonly Result[]>;
  readonly batchMax: number;
  readonly inFlightMax: number;
  readonly pendingMax: number;
}

interface Waiting<Op, Result> {
  readonly op: Op;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatcher<Op, Result>(options: BatcherOptions<Op, Result>): Batcher<Op, Result> {
  const { run, batchMax, inFlightMax, pendingMax } = options;
  let waiting: Waiting<Op, Result>[] = [];
  let scheduled = false;
  let inFlight = 0;
  let pending = 0;

  const flush = () => {
    scheduled = false;
    while (waiting.length > 0 && inFlight < inFlightMax) {
      const batch = waiting.length <= batchMax ? waiting : waiting.slice(0, batchMax);
      waiting = waiting.length <= batchMax ? [] : waiting.slice(batchMax);
      void runBatch(batch);
    }
  };

  const runBatch = async (batch: Waiting<Op, Result>[]) => {
    inFlight++;
    try {
      const results = await run(batch.map((each) => each.op));
      batch.forEach((each, i) => {
        each.resolve(results[i] as Result);
      });
    } catch (error) {
      for (const each of batch) each.reject(error);
    } finally {
      inFlight--;
      pending -= batch.length;
      flush();
    }
  };

  return {
    get pending() {
      return pending;
    },
    add(op) {
      if (pending >= pendingMax) return Promise.reject(new Overloaded('too many operations wait'));
      pending++;
      return new Promise<Result>((resolve, reject) => {
        waiting.push({ op, resolve, reject });
        if (!scheduled) {
          scheduled = true;
          setImmediate(flush);
        }
      });
    },
  };
}
