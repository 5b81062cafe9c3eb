/** As `src/store/batcher.ts`: what comes while batches are under way is the next batch. */
export interface Batches<T> {
  /** Returns false when too many wait already. */
  add(op: T): boolean;
}

/** @param run does a batch, and calls `done` when the next one may begin */
export function createBatches<T>(
  { batchMax, underWayMax, pendingMax }: Readonly<Record<'batchMax' | 'underWayMax' | 'pendingMax', number>>,
  run: (ops: T[], done: () => void) => void,
): Batches<T> {
  const ops: T[] = [];
  let underWay = 0;
  let pending = 0;
  const flush = () => {
    while (ops.length > 0 && underWay < underWayMax) {
      const batch = ops.splice(0, batchMax);
      underWay++;
      run(batch, () => {
        underWay--;
        pending -= batch.length;
        flush();
      });
    }
  };
  return {
    add(op) {
      if (pending >= pendingMax) return false;
      pending++;
      ops.push(op);
      flush();
      return true;
    },
  };
}
