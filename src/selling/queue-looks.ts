import type { WorkerSale } from './live-sales.ts';

/** How late a worker may hear that somebody's turn has come. */
const LOOK_MS = 250;

/** Looks again and again where the queues stand. While Redis is away, they stand where they were seen last. */
export function startQueueLooks(sales: () => readonly WorkerSale[]): { stop(): void } {
  let isLooking = false;
  const look = async () => {
    const queues = sales().flatMap(({ queue }) => queue ?? []);
    if (isLooking || queues.length === 0) return;
    isLooking = true;
    await Promise.allSettled(queues.map((queue) => queue.look()));
    isLooking = false;
  };
  const timer = setInterval(look, LOOK_MS);
  return { stop: () => clearInterval(timer) };
}
