/** A simulated clock, and machines whose cores are shared. Time is in µs. */

/** What happens at a time, in the order of time; of one time, in the order in which it was planned. */
export interface Clock {
  readonly nowUs: number;
  after(us: number, what: () => void): void;
  /** Runs until nothing is left to happen. */
  run(): void;
}

interface Event {
  readonly atUs: number;
  readonly n: number;
  readonly what: () => void;
}

const isBefore = (a: Event, b: Event): boolean => a.atUs < b.atUs || (a.atUs === b.atUs && a.n < b.n);

export function createClock(): Clock {
  /** A binary heap: the first is the next. */
  const heap: Event[] = [];
  let nowUs = 0;
  let planned = 0;

  const push = (event: Event) => {
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  };
  const pop = (): Event => {
    const first = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  };

  return {
    get nowUs() {
      return nowUs;
    },
    after: (us, what) => push({ atUs: nowUs + us, n: planned++, what }),
    run() {
      while (heap.length > 0) {
        const event = pop();
        nowUs = event.atUs;
        event.what();
      }
    },
  };
}

/** One thread of a machine: does its tasks in their order, each as soon as a core is free for it. */
export interface Thread {
  do(us: number, done: () => void): void;
  /** Time on a core so far. */
  readonly busyUs: number;
}

/** So many cores; threads that want one wait in a queue, and give it back after each task. */
export function createMachine(clock: Clock, cores: number) {
  let free = cores;
  const waiting: (() => void)[] = [];
  let first = 0;

  const next = () => {
    while (free > 0 && first < waiting.length) {
      free--;
      (waiting[first++] as () => void)();
    }
    if (first > 10_000) waiting.splice(0, first);
    if (waiting.length === 0 || first > waiting.length) first = 0;
  };

  return {
    thread(): Thread {
      let tasks: { readonly us: number; readonly done: () => void }[] = [];
      let at = 0;
      let busyUs = 0;
      let isQueued = false;
      const turn = () => {
        const { us, done } = tasks[at++] as (typeof tasks)[number];
        busyUs += us;
        clock.after(us, () => {
          free++;
          isQueued = false;
          done();
          queue();
          next();
        });
      };
      const queue = () => {
        if (at >= tasks.length) {
          tasks = [];
          at = 0;
          return;
        }
        if (isQueued) return;
        isQueued = true;
        waiting.push(turn);
        next();
      };
      return {
        get busyUs() {
          return busyUs;
        },
        do(us, done) {
          tasks.push({ us, done });
          queue();
        },
      };
    },
  };
}

export type Machine = ReturnType<typeof createMachine>;
