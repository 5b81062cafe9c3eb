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
  /** Called with the number of operations of each batch that begins. */
  readonly onBatch?: ((size: number) => void) | undefined;
}

interface Caller<Result> {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export function createBatcher<Op, Result>(options: BatcherOptions<Op, Result>): Batcher<Op, Result> {
  const { run, batchMax, inFlightMax, pendingMax } = options;
  let ops: Op[] = [];
  let callers: Caller<Result>[] = [];
  let scheduled = false;
  let inFlight = 0;
  let pending = 0;

  const flush = () => {
    scheduled = false;
    while (ops.length > 0 && inFlight < inFlightMax) {
      const [batch, waitingFor] = [ops, callers];
      ops = batch.splice(batchMax);
      callers = waitingFor.splice(batchMax);
      void runBatch(batch, waitingFor);
    }
  };

  const runBatch = async (batch: readonly Op[], waitingFor: readonly Caller<Result>[]) => {
    inFlight++;
    options.onBatch?.(batch.length);
    try {
      const results = await run(batch);
      for (let i = 0; i < batch.length; i++) (waitingFor[i] as Caller<Result>).resolve(results[i] as Result);
    } catch (error) {
      for (const caller of waitingFor) caller.reject(error);
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
        ops.push(op);
        callers.push({ resolve, reject });
        if (!scheduled) {
          scheduled = true;
          setImmediate(flush);
        }
      });
    },
  };
}
