import type { Postgres } from '../store/postgres.ts';
import { addPartitions, listSegments, shipSegment } from '../store/segments.ts';

/** Some three million attempts. Past it checkouts are refused: an attempt that is not logged must not be answered. */
export const SPOOL_BYTES_MAX = 512 << 20;

export interface ShipperOptions {
  readonly postgres: Postgres;
  readonly dir: string;
  /** Tells the workers whether the spool has reached its bound. */
  readonly onFull: (full: boolean) => void;
}

/** Ships finished segments of the attempt log to Postgres, one after the other, as long as there are any. */
export function createShipper({ postgres, dir, onFull }: ShipperOptions) {
  let full = false;
  let partitionedDay = '';

  return async (): Promise<void> => {
    const { paths, bytes } = listSegments(dir);
    if (bytes >= SPOOL_BYTES_MAX !== full) {
      full = !full;
      onFull(full);
    }
    if (paths.length === 0 || !postgres.isUp) return;
    const today = new Date().toISOString().slice(0, 10);
    if (today !== partitionedDay) {
      await addPartitions(postgres, Date.now());
      partitionedDay = today;
    }
    for (const path of paths) await shipSegment(postgres, path);
  };
}
