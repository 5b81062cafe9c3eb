import { once } from 'node:events';
import type { Config } from '../config.ts';
import { createApp } from '../http/app.ts';
import { createAsk } from '../http/asked.ts';
import { type Balance, createBalance } from '../http/balance.ts';
import { connectionsMax } from '../http/connections.ts';
import { createCors } from '../http/cors.ts';
import { createHandle, type HandleDeps } from '../http/handle.ts';
import type { Endpoint } from '../http/route.ts';
import { createRouting } from '../http/routing.ts';
import { createHttpServer, listenAlone, type WorkerServer } from '../http/server.ts';
import type { Log } from '../log.ts';

/** Connections that the kernel queues until a worker accepts them: a crowd connects at once. Linux' default limit is 4,096. */
const BACKLOG = 4_096;
/** How long requests may go on after the order to drain; the primary waits a little longer. */
const DRAIN_MS = 8_000;

export interface ServingDeps extends HandleDeps {
  readonly config: Config;
  readonly slot: number;
  readonly log: Log;
  readonly endpoints: readonly Endpoint[];
  /** Whether clients are asked to close their connections: the worker is about to leave. */
  readonly isLeaving: () => boolean;
}

/** A worker's servers: the one on the port that all share, and its own where workers have ports of their own. */
export interface Serving {
  readonly servers: readonly WorkerServer[];
  readonly balance: Balance;
  /** Open connections on the shared port. */
  readonly connections: () => number;
  listen(): Promise<void>;
  /** Stops listening; resolves when requests under way are answered. */
  close(): Promise<void>;
}

export function createServing(deps: ServingDeps): Serving {
  const { config, slot, log, endpoints, isLeaving } = deps;
  const portBase = config.workerPortBase;
  const cors = config.corsOrigins && createCors(config.corsOrigins);
  const routing = createRouting(endpoints, cors);
  const ask = createAsk();
  const handle = createHandle({ ...deps, cors });
  const admin = config.adminToken
    ? { token: config.adminToken }
    : config.production
      ? ('absent' as const)
      : ('open' as const);
  const app = createApp({ routing, ask, handle, admin });
  const common = {
    app,
    routing,
    ask,
    handle,
    connectionsMax: connectionsMax(portBase === undefined ? 1 : 2),
    basePath: config.basePath,
  };

  const balance = createBalance(() => shared.connections);
  const shared = createHttpServer({ ...common, asksToClose: () => isLeaving() || balance.takeSurplus() });
  // Callers on a worker's own port chose that worker, so they are not asked to move.
  const own = portBase === undefined ? undefined : createHttpServer({ ...common, asksToClose: isLeaving });
  const servers = own ? [shared, own] : [shared];

  return {
    servers,
    balance,
    connections: () => shared.connections,
    async listen() {
      shared.server.listen({ port: config.port, host: config.host, backlog: BACKLOG });
      await once(shared.server, 'listening');
      // A failed accept (no memory, no files) affects one client; the worker goes on.
      shared.server.on('error', (err) => log.warn({ err }, 'a connection was not accepted'));
      if (own) listenAlone(own.server, (portBase as number) + slot, config.host);
    },
    close: async () => void (await Promise.all(servers.map((each) => each.closeGently(DRAIN_MS)))),
  };
}
