import { AGE_LIMITS } from '../../src/selling/live-sales.ts';
import { createGauge } from '../../src/selling/shedding.ts';
import { createBatches } from './batches.ts';
import type { Clock, Machine, Thread } from './clock.ts';
import { type Costs, costOf } from './costs.ts';

/** The bounds of `src/store/checkouts.ts` and `src/store/purchases.ts`. */
const CHECKOUTS = { batchMax: 256, underWayMax: 2, pendingMax: 8_192 };
const PURCHASES = { batchMax: 256, underWayMax: 1, pendingMax: 4_096 };
/** `ANSWER_MS` of `src/store/redis/connection.ts`: a checkout that is not answered by then is 503, and nothing is asked until the answer has come. */
const DEADLINE_US = 900_000;
/** From Redis' decision until another worker refuses the item from memory. */
const HEARD_AFTER_US = 1_000;

/** One sale: which of its items are left, at which master. */
export interface Sale {
  readonly redis: Thread;
  left: number;
  /** Item → when its sale was decided; Infinity while it is left. */
  readonly soldAtUs: Float64Array;
  /** When the last item was committed. */
  soldOutUs: number;
  committed: number;
}

export interface Request {
  readonly sale: Sale;
  readonly item: number;
  readonly answer: (outcome: 'ok' | 'refused' | 'shed') => void;
}

export interface Worker {
  readonly thread: Thread;
  checkout(request: Request): void;
  purchase(request: Request): void;
}

export interface WorkerOptions {
  readonly clock: Clock;
  readonly costs: Costs;
  readonly netUs: number;
  readonly thread: Thread;
  readonly primary: Thread;
  /** Where its sessions run. */
  readonly postgres: Machine;
  /** All workers hear what was sold. */
  readonly hear: (items: number) => void;
}

/** One worker with its batches, as `src/selling/verdict.ts` and the batchers order the steps. */
export function createWorker(options: WorkerOptions): Worker {
  const { clock, costs, netUs, thread, primary, postgres, hear } = options;
  const { ask, isAway } = createAsker(clock, netUs, thread);
  const isSold = (request: Request) => isSoldAt(request, clock.nowUs);
  const gauges = bySale(() => ({
    checkout: createGauge(AGE_LIMITS.checkout),
    purchase: createGauge(AGE_LIMITS.purchase),
  }));
  const checkouts = bySale((sale) =>
    createBatches<Request>(CHECKOUTS, (batch, done) => {
      const shed = () => {
        for (const each of batch) each.answer('shed');
        done();
      };
      if (isAway()) return shed();
      thread.do(costs.checkout.callUs, () =>
        ask(
          sale.redis,
          costOf(costs.redisCheckout, batch.length),
          batch.length * costs.checkout.eachUs,
          () => {
            for (const each of batch) each.answer(isSold(each) ? 'refused' : 'ok');
            done();
          },
          shed,
        ),
      );
    }),
  );

  const purchases = bySale((sale) => {
    const session = postgres.thread();
    return createBatches<Request>(PURCHASES, (batch, done) => {
      const bought = new Set<Request>();
      thread.do(costs.purchase.callUs, () =>
        ask(sale.redis, costOf(costs.redisPurchase, batch.length), 0, () => {
          for (const each of batch) {
            if (isSold(each)) continue;
            sale.soldAtUs[each.item] = clock.nowUs;
            sale.left--;
            bought.add(each);
          }
          hear(bought.size);
          const commitUs = costOf(costs.commit, bought.size);
          clock.after(costs.flushUs, () =>
            ask(session, commitUs, batch.length * costs.purchase.eachUs, () => {
              sale.committed += bought.size;
              if (bought.size > 0) sale.soldOutUs = clock.nowUs;
              for (const each of batch) each.answer(bought.has(each) ? 'ok' : 'refused');
              done();
            }),
          );
        }),
      );
    });
  });

  /** Lets a request into its batches, or sheds it, as `src/selling/shedding.ts` does. */
  const admit = (kind: 'checkout' | 'purchase', request: Request) => {
    const { checkout, purchase } = gauges(request.sale);
    const atMs = clock.nowUs / 1e3;
    const isLate = purchase.isOverloaded(atMs) || (checkout.isProbing && checkout.isOverloaded(atMs));
    if (isAway() || (kind === 'checkout' && isLate)) return request.answer('shed');
    const gauge = kind === 'checkout' ? checkout : purchase;
    const watched = gauge.begin(atMs)
      ? { ...request, answer: ended(request, () => gauge.end(clock.nowUs / 1e3)) }
      : request;
    primary.do(costs.primaryUs, () => {});
    thread.do(costs.acceptedUs, () => {});
    const batches = kind === 'checkout' ? checkouts : purchases;
    if (!batches(request.sale).add(watched)) watched.answer('shed');
  };
  return {
    thread,
    checkout(request) {
      thread.do(costs.httpUs, () => {
        if (isSoldAt(request, clock.nowUs - HEARD_AFTER_US)) request.answer('refused');
        else admit('checkout', request);
      });
    },
    purchase(request) {
      thread.do(costs.httpUs, () => admit('purchase', request));
    },
  };
}

const isSoldAt = ({ sale, item }: Request, nowUs: number): boolean =>
  (sale.soldAtUs[item] as number) <= nowUs;

/** Asks servers over the net, and knows whether one of them is silent. */
function createAsker(clock: Clock, netUs: number, thread: Thread) {
  /** When each question was asked that is not answered yet, the oldest first. */
  const underWayUs = new Map<object, number>();
  return {
    /** A batch at a server, and back in the worker; `late` is called instead of `done` where one is given and the time is over. */
    ask(server: Thread, us: number, backUs: number, done: () => void, late?: () => void): void {
      const question = {};
      let isLate = false;
      underWayUs.set(question, clock.nowUs);
      if (late)
        clock.after(DEADLINE_US, () => {
          isLate = underWayUs.has(question);
          if (isLate) late();
        });
      const back = () => {
        underWayUs.delete(question);
        if (!isLate) thread.do(backUs, done);
      };
      clock.after(netUs, () => server.do(us, () => clock.after(netUs, back)));
    },
    isAway(): boolean {
      const [oldestUs] = underWayUs.values();
      return oldestUs !== undefined && clock.nowUs - oldestUs > DEADLINE_US;
    },
  };
}

const ended =
  ({ answer }: Request, end: () => void): Request['answer'] =>
  (outcome) => {
    end();
    answer(outcome);
  };

/** One of it for each sale, made when it is first asked for. */
function bySale<T>(make: (sale: Sale) => T): (sale: Sale) => T {
  const made = new Map<Sale, T>();
  return (sale) => {
    const found = made.get(sale) ?? make(sale);
    made.set(sale, found);
    return found;
  };
}
