import { memoryUsage } from 'node:process';
import { type Answer, json, type RequestContext } from '../http/answer.ts';
import { problem } from '../http/problem.ts';
import type { WorkerStatus } from '../messages.ts';

export interface HealthDeps {
  readonly isPostgresUp: () => boolean;
  readonly isRedisUp: () => boolean;
  /** Whether every sale that is open now can sell, as far as this worker knows. */
  readonly isGateOpen: () => Promise<boolean>;
  readonly isDraining: () => boolean;
  /** All workers of this box; empty when the primary does not answer in time. */
  readonly workers: () => Promise<readonly WorkerStatus[]>;
}

/** GET /health, /livez and /readyz. */
export function health(deps: HealthDeps) {
  return {
    async health(): Promise<Answer> {
      const database = deps.isPostgresUp();
      const redis = deps.isRedisUp();
      const { heapUsed, rss } = memoryUsage();
      const workers = await deps.workers();
      return json(database && redis ? 200 : 503, {
        services_status: { app: 'UP', database: upOrDown(database), redis: upOrDown(redis) },
        uptime: formatUptime(process.uptime()),
        memory: { alloc: heapUsed, sys: rss },
        workers: workers.map((worker) => ({
          slot: worker.slot,
          pid: worker.pid,
          uptime: formatUptime(worker.uptimeS),
          memory: worker.rssBytes,
        })),
      });
    },

    /** The process answers: no dependency is asked. */
    live: (): Answer => json(200, { status: 'live' }),

    async ready(context: RequestContext): Promise<Answer> {
      const checks = {
        redis: deps.isRedisUp(),
        postgres: deps.isPostgresUp(),
        gate: await deps.isGateOpen().catch(() => false),
        serving: !deps.isDraining(),
      };
      return Object.values(checks).every(Boolean)
        ? json(200, { status: 'ready', checks })
        : problem(context, 'unavailable', { checks });
    },
  };
}

const upOrDown = (up: boolean) => (up ? 'UP' : 'DOWN');

/** Seconds as `1h2m3s`, without leading zero parts. */
export function formatUptime(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return `${h > 0 ? `${h}h` : ''}${h > 0 || m > 0 ? `${m}m` : ''}${s}s`;
}
