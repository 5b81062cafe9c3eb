import type { Postgres } from '../store/postgres.ts';
import { addPartitions, listSegments, shipSegment } from '../store/segments.ts';

/** Some three million attempts. Past it checkouts are refused: an attempt that is not logged must not be answered. */
export const SPOOL_BYTES_MAX = 512 << 20;

export interface ShipperOptions {
  readonly postgres: Postgres;
  readonly dir: string;
  /** Hears when the spool reaches its bound, and when it has room again. */
  readonly onFull: (full: boolean) => void;
}

export interface Shipper {
  /** Whether the spool has reached its bound. */
  readonly isFull: boolean;
  /** Ships every finished segment, one after the other. */
  ship(): Promise<void>;
}

export function createShipper({ postgres, dir, onFull }: ShipperOptions): Shipper {
  let full = false;
  let partitionedDay = '';

  const partition = async () => {
    const today = new Date().toISOString().slice(0, 10);
    if (today === partitionedDay) return;
    await addPartitions(postgres, Date.now());
    partitionedDay = today;
  };

  return {
    get isFull() {
      return full;
    },
    async ship() {
      const { paths, bytes } = listSegments(dir);
      if (bytes >= SPOOL_BYTES_MAX !== full) {
        full = !full;
        onFull(full);
      }
      if (paths.length === 0 || !postgres.isUp) return;
      await partition();
      for (const path of paths) await shipSegment(postgres, path);
    },
  };
}
