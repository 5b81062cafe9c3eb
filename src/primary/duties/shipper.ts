import type { Log } from '../../log.ts';
import {
  adoptSegments,
  dropRefused,
  listSegments,
  setAside,
  shipSegment,
} from '../../store/attempts/segments.ts';
import { Overloaded, Unanswered, Unavailable } from '../../store/errors.ts';
import type { Postgres } from '../../store/postgres.ts';
import { isRefusal } from '../../store/postgres-errors.ts';

/** Some three million attempts. Past it checkouts are refused: an attempt that is not logged must not be answered. */
export const SPOOL_BYTES_MAX = 512 << 20;

export interface ShipperOptions {
  readonly postgres: Postgres;
  readonly dir: string;
  readonly log: Log;
  /** Days after which segments that were put aside are deleted. */
  readonly keepDays: number;
  /** Whether that process of that run still writes its segments. */
  readonly isWritten: (run: string, pid: number) => boolean;
  /** Called when the spool reaches its bound, and when it has room again. */
  readonly onFull: (full: boolean) => void;
}

export interface Shipper {
  /** Whether the spool has reached its bound. */
  readonly isFull: boolean;
  /** Finishes the segments of dead workers, ships every finished one, one after the other, and deletes old ones that were put aside. */
  ship(): Promise<void>;
}

export function createShipper({ postgres, dir, log, keepDays, isWritten, onFull }: ShipperOptions): Shipper {
  let full = false;

  /** One segment in trouble must not hold up the others. Throws when the trouble is the store's. */
  const shipOne = async (path: string) => {
    try {
      await shipSegment(postgres, path);
    } catch (err) {
      if (err instanceof Unavailable || err instanceof Unanswered || err instanceof Overloaded) throw err;
      if (!isRefusal(err)) {
        log.error(
          { err, segment: path },
          'a segment of the attempt log could not be shipped; it is tried again',
        );
        return;
      }
      // Postgres will never accept its bytes (damaged by a power loss?).
      log.error({ err, segment: path }, 'a segment of the attempt log was refused and put aside');
      setAside(path);
    }
  };

  return {
    get isFull() {
      return full;
    },
    async ship() {
      await adoptSegments(dir, isWritten);
      for (const segment of dropRefused(dir, keepDays))
        log.warn({ segment }, 'a segment that was put aside is deleted');
      const { paths, bytes } = listSegments(dir);
      if (bytes >= SPOOL_BYTES_MAX !== full) {
        full = !full;
        onFull(full);
      }
      if (paths.length === 0 || !postgres.isUp) return;
      for (const path of paths) await shipOne(path);
    },
  };
}
