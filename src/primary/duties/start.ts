import type { Config } from '../../config.ts';
import type { Log } from '../../log.ts';
import { pruneEvents } from '../../store/feed/keep.ts';
import { type Leadership, seekLeadership } from '../../store/leadership.ts';
import { readLiveSales } from '../../store/sales.ts';
import { every, type Repeated, type Work } from '../every.ts';
import type { Metrics } from '../metrics/own.ts';
import type { Shutdown } from '../shutdown.ts';
import type { Stores } from '../stores.ts';
import type { SalesBoard } from '../workers/sales-board.ts';
import { createAuditor } from './auditor.ts';
import { createCaretaker } from './caretaker.ts';
import { createExpirer } from './expirer.ts';
import { createKeeper } from './keeper.ts';
import { createLifecycle } from './lifecycle.ts';
import { createQueueDuty } from './queues.ts';
import { createRetirer } from './retirer.ts';
import { shelve } from './returner.ts';
import { createSalvagedReport } from './salvaged.ts';
import { createSaver } from './saver.ts';
import { scheduleSales } from './scheduler.ts';
import { sweep } from './sweeper.ts';
import { createTeller } from './teller.ts';
import { createWebhookDuty } from './webhooks.ts';

// Multiples of the shortest: every.ts.
/** How soon a shut gate is noticed: after a restart of Redis, selling resumes after this time and the rebuild. */
const KEEP_MS = 200;
const SCHEDULE_MS = 5_000;
const SWEEP_MS = 400;
/** What came back is for sale within a second, also when its worker died at once: this, the script, and the workers' ears. */
const SHELVE_MS = 200;
const SAVE_MS = 400;
/** How late an unpaid unit may be back on the shelf. */
const EXPIRE_MS = 400;
const WATCH_MS = 400;
/** How late a draw may be, and how much of a queue's progress a Redis that comes back empty has forgotten. */
const QUEUES_MS = 200;
/** How late the feed may say that a sale has opened or ended. */
const TELL_MS = 400;
/** How soon a webhook follows its event, or its retry is noticed. */
const SEND_MS = 400;
/** Sales that are over wait a minute for it anyway. */
const RETIRE_MS = 2_000;
/** Partitions are made a week ahead; what a lock keeps from them is tried again this soon. */
const CARE_MS = 60_000;
/** Pause between two audits of all live sales; auditor.ts bounds their cost. */
const AUDIT_MS = 60_000;

export interface DutiesOptions {
  readonly config: Config;
  readonly stores: Stores;
  readonly board: SalesBoard;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly shutdown: Shutdown;
}

export interface Duties {
  refreshSales(): Promise<void>;
  isLeader(): boolean;
}

/**
 * Starts what must be done once per database: hourly sales, rebuilds, sweeping, audits. Every box is ready to; only the
 * leader does it, and the others read the results. Resolves when every live sale is known, the hourly ones included.
 */
export async function startDuties(options: DutiesOptions): Promise<Duties> {
  const { config, stores, board, metrics, log, shutdown } = options;
  const { redis, postgres, onError } = stores;
  let scheduling: Repeated | undefined;
  let keeping: Repeated | undefined;
  const sales = () => board.sales;
  const { onSwept, onStray, onRebuilt, ofPayments, ...onWrong } = countIn(metrics, log);
  const saver = createSaver({ redis, postgres, log, sales, ...onWrong });
  const canLead = () => redis.isUp;
  const leadership = await seekLeadership(stores.databaseUrl, canLead, (isLeader) => {
    log.info({ leader: isLeader }, 'leadership');
    saver.again();
    // Work may have waited for a leader: do it at once.
    if (isLeader) void Promise.resolve(scheduling?.now()).then(() => keeping?.now());
  });
  shutdown.add('leadership', leadership.close);

  const repeat: Repeat = (name, ms, work) => {
    const repeated = every(ms, work, onError);
    shutdown.add(name, repeated.stop);
    return repeated;
  };
  const leading =
    (work: Work): Work =>
    async (signal) => {
      if (leadership.isLeader && postgres.isUp) await work(signal);
    };

  const onDifference = (count: number, saleId?: string) => {
    metrics.auditDifferences.n += count;
    // What Postgres has lost and Redis still knows is committed again.
    if (count > 0 && saleId !== undefined) saver.again(saleId);
  };
  const retirer = createRetirer({ redis, postgres, log, sales, onDifference, ...onWrong });
  const { isRetiring } = retirer;
  const keep = createKeeper({ redis, postgres, log, isRetiring, onRebuilt, ...onWrong });
  keeping = repeat('keeper', KEEP_MS, async () => {
    try {
      if (leadership.isLeader) await keep(board.publish);
      else board.publish(await readLiveSales(postgres));
    } catch (error) {
      saver.again();
      throw error;
    }
  });
  const schedule = { postgres, log, items: config.saleItems, userLimit: config.userLimit };
  if (config.hourlySales === 'on')
    scheduling = repeat(
      'scheduler',
      SCHEDULE_MS,
      leading(() => scheduleSales(schedule, Date.now())),
    );
  repeat('saver', SAVE_MS, leading(saver.save));
  repeat('retirer', RETIRE_MS, leading(retirer.retire));
  repeat(
    'sweeper',
    SWEEP_MS,
    leading(() => sweep({ redis, postgres, log, sales, onSwept })),
  );
  const queueing = repeat('queues', QUEUES_MS, leading(createQueueDuty({ redis, postgres, log, sales })));
  repeat('expirer', EXPIRE_MS, leading(createExpirer({ redis, postgres, log, ...ofPayments })));
  repeat('lifecycle', WATCH_MS, createLifecycle({ redis, log, sales }));
  const audit = createAuditor({ redis, postgres, log, sales, onDifference });
  const auditAll: Work = async (signal) => {
    if (await audit(signal)) metrics.audited();
  };
  repeat('auditor', AUDIT_MS, leading(auditAll));

  startCare(options, leadership, repeat, leading, onStray);

  await scheduling?.now();
  await keeping.now();
  const refreshSales = async () => {
    await keeping?.now();
    // Whoever was told of a new sale may join its queue.
    if (board.sales.some(({ queue }) => queue !== undefined)) await queueing.now();
  };
  return { refreshSales, isLeader: () => leadership.isLeader };
}

/** What the duties tell of, as the metrics count it. */
function countIn(metrics: Metrics, log: Log) {
  return {
    onRebuilt: () => void metrics.rebuilds.n++,
    onContradiction: () => void metrics.contradictions.n++,
    onSalvaged: createSalvagedReport(log, (decisions) => {
      metrics.salvaged.n += decisions;
    }),
    onSwept(decisions: number) {
      metrics.swept.n += decisions;
    },
    onStray(attempts: number) {
      metrics.strayAttempts = attempts;
    },
    ofPayments: {
      onExpired(purchases: number) {
        metrics.payments.expired.n += purchases;
      },
      onDue(ageS: number) {
        metrics.payments.dueS = ageS;
      },
    },
  };
}

type Repeat = (name: string, ms: number, work: Work) => Repeated;

/** What keeps Postgres from growing without end, the feed told, and what came back on the shelf. */
function startCare(
  { config, stores, board, metrics, log, shutdown }: DutiesOptions,
  leadership: Leadership,
  repeat: Repeat,
  leading: (work: Work) => Work,
  onStray: (attempts: number) => void,
): void {
  const { redis, postgres } = stores;
  const sales = () => board.sales;
  repeat(
    'returner',
    SHELVE_MS,
    leading(() => shelve({ redis, postgres, log, sales })),
  );
  const care = createCaretaker({ postgres, log, keepDays: config.attemptsKeepDays, onStray });
  void repeat('caretaker', CARE_MS, leading(care)).now();
  if (config.events === 'on')
    repeat('teller', TELL_MS, leading(createTeller({ redis, postgres, log, sales })));
  const isLeader = () => leadership.isLeader;
  const webhooks = createWebhookDuty({ config, postgres, log, metrics, isLeader });
  if (webhooks) {
    shutdown.add('webhook connections', async () => webhooks.close());
    repeat('webhooks', SEND_MS, leading(webhooks.work));
  }
  const prune = async () => void (await pruneEvents(postgres, config.eventsKeepDays));
  repeat('pruner', CARE_MS, leading(prune));
}
