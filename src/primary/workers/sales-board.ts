import type { LiveSale } from '../../sale.ts';
import type { Supervisor } from './supervisor.ts';

/** How long to wait for a worker to confirm that it knows the sales. */
const SEEN_MS = 1_000;

/** The sales that every worker of this box should know, and which workers do. */
export interface SalesBoard {
  readonly sales: readonly LiveSale[];
  /** Tells all workers, if anything has changed. */
  publish(sales: readonly LiveSale[]): void;
  /** Tells one worker, which is new. */
  show(pid: number): void;
  seen(pid: number, version: number): void;
  /** Resolves when every worker knows what was published last. */
  untilSeen(): Promise<void>;
}

export function createSalesBoard(supervisor: Supervisor): SalesBoard {
  let sales: readonly LiveSale[] = [];
  let version = 0;
  const seenBy = new Map<number, number>();

  const message = () => ({ type: 'sales', version, sales }) as const;
  const allHaveSeen = () => supervisor.pids().every((pid) => seenBy.get(pid) === version);

  return {
    get sales() {
      return sales;
    },
    publish(next) {
      if (JSON.stringify(next) === JSON.stringify(sales)) return;
      sales = next;
      version++;
      for (const pid of seenBy.keys()) if (!supervisor.pids().includes(pid)) seenBy.delete(pid);
      supervisor.broadcast(message());
    },
    show: (pid) => supervisor.send(pid, message()),
    seen: (pid, known) => void seenBy.set(pid, known),
    async untilSeen() {
      const deadline = Date.now() + SEEN_MS;
      while (!allHaveSeen() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}
