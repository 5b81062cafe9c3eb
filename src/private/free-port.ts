import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports from `from` to below `to`. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Below every system's range of ephemeral ports (Linux: from 32768). In that range a client that reconnects to a
 * server that is down may get the server's own port as its source port, connect to itself, and keep the
 * server from ever coming back.
 */
export const PRIVATE_PORTS: PortRange = { from: 20_000, to: 32_000 };
const TRIES_MAX = 50;

/** A port on 127.0.0.1 that nobody listens on now. Throws when 50 in a row were taken. */
export async function freePort(range: PortRange, not?: number): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(range.from, range.to);
    if (port === not) continue;
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
      probe.close();
      await once(probe, 'close');
      return port;
    } catch {} // taken
  }
  throw new Error(`no free port on 127.0.0.1 from ${range.from} to ${range.to}`);
}
