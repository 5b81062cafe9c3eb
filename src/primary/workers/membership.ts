import type { Supervisor } from './supervisor.ts';

/** A dead worker is usually replaced within this time; then no item changes its owner. */
const SETTLE_MS = 1_000;

/** Tells the workers which slots are on the ring: those whose workers serve, once that is stable. */
export function createMembership(supervisor: Supervisor) {
  let slots: readonly number[] = [];
  let settling: NodeJS.Timeout | undefined;

  const publish = () => {
    clearTimeout(settling);
    settling = undefined;
    const serving = supervisor.servingSlots();
    if (serving.join() === slots.join()) return;
    slots = serving;
    supervisor.broadcast({ type: 'slots', slots });
  };

  return {
    /** Now, at the start. */
    publish,
    /** A worker came or went. */
    changed() {
      settling ??= setTimeout(publish, SETTLE_MS).unref();
    },
    show: (pid: number) => supervisor.send(pid, { type: 'slots', slots }),
  };
}
