import type { Rules } from './checker.ts';
import type { PlaceViolation } from './checker-places.ts';
import { ageFaults } from './faults-age.ts';
import { clientFaults } from './faults-clients.ts';
import { datasetFaults } from './faults-dataset.ts';
import { doorFaults } from './faults-door.ts';
import { failoverFaults } from './faults-failover.ts';
import { feedFaults } from './faults-feed.ts';
import { leaderFaults } from './faults-leaders.ts';
import { paymentFaults } from './faults-payments.ts';
import { postgresFaults } from './faults-postgres.ts';
import { processFaults } from './faults-processes.ts';
import { queueFaults } from './faults-queue.ts';
import { redisFaults } from './faults-redis.ts';
import { retireFaults } from './faults-retire.ts';
import { returnFaults } from './faults-returns.ts';
import type { Target } from './operations.ts';
import type { Random } from './random.ts';
import type { Stand, StandKind } from './stand.ts';

/** What a fault acts on. */
export interface FaultContext {
  readonly stand: Stand;
  readonly random: Random;
  readonly target: Target;
  readonly items: readonly string[];
  /** Full length instead of a short one: an outage of a minute. */
  readonly full: boolean;
  mark(name: string): void;
  /** Recovery is counted from here; the last call counts. */
  clock(): void;
  /** A time of this run for the report; the longest counts. */
  measure(name: string, ms: number): void;
  /** How many of something there were in this run. */
  count(name: string, n: number): void;
  /** Reports a broken promise that only the fault itself can see. */
  violate(
    kind:
      | ('orphan' | 'service-broken' | 'unexpected-answer' | 'event-missed' | 'event-twice')
      | ('lost' | 'not-sold-out' | 'books-differ' | 'settled-twice' | 'invented')
      | PlaceViolation['kind'],
    detail: string,
  ): void;
}

export interface Fault {
  readonly name: string;
  /** Where it can happen; the first is used. */
  readonly stands: readonly StandKind[];
  readonly losesRedis?: boolean;
  readonly losesLog?: boolean;
  readonly noFailures?: Rules['noFailures'];
  /** Environment that the service must be started with. */
  readonly env?: Readonly<Record<string, string>>;
  /** The headers by which a buyer proves himself, where the environment asks for it. */
  readonly proofOf?: (user: string) => Readonly<Record<string, string>>;
  /** Injects the fault and heals it. */
  inject(context: FaultContext): Promise<void>;
}

export const FAULTS: readonly Fault[] = [
  ...processFaults,
  ...redisFaults,
  ...datasetFaults,
  ...failoverFaults,
  ...postgresFaults,
  ...ageFaults,
  ...retireFaults,
  ...leaderFaults,
  ...feedFaults,
  ...paymentFaults,
  ...returnFaults,
  ...clientFaults,
  ...doorFaults,
  ...queueFaults,
];

export function faultOf(name: string): Fault {
  const fault = FAULTS.find((each) => each.name === name);
  if (fault) return fault;
  throw new Error(`there is no fault "${name}"; there are: ${FAULTS.map((each) => each.name).join(', ')}`);
}

/** Several faults one after the other, some of them at the same time. */
export function mixOf(random: Random): Fault {
  const mixable = FAULTS.filter(
    (fault) =>
      fault.stands.includes('owned') &&
      !fault.noFailures &&
      !fault.name.startsWith('postgres-outage') &&
      // With Redis emptied at the same time, what only Redis knew is lost.
      !fault.losesLog,
  );
  const chosen = Array.from({ length: random.between(2, 4) }, () => random.pick(mixable));
  return {
    name: 'mix',
    stands: ['owned'],
    losesRedis: chosen.some((fault) => fault.losesRedis),
    async inject(context) {
      for (const fault of chosen) {
        context.mark(`mix: ${fault.name}`);
        await fault.inject(context);
      }
    },
  };
}
