import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Per worker, half of them for listeners of queues: each costs some 10 KiB; past this, connecting clients are refused at once. */
const CONNECTIONS_MAX = 20_000;
/** Files that a worker needs for its stores, its peers, its spool and node itself. */
const FILES_RESERVED = 64;
/** A client may take as long to fetch an answer as to send a request. */
const UNSENT_MS = 10_000;
const CHECK_MS = 1_000;
/** After an early answer, read and discard the body this long: closing at once would reset the connection before the client sees the answer. */
const LINGER_MS = 2_000;

/** Connections that `servers` servers of this process may hold each, within its limit of open files. */
export function connectionsMax(servers: number, filesMax = readFilesMax()): number {
  return Math.max(1, Math.floor(Math.min(CONNECTIONS_MAX, filesMax - FILES_RESERVED) / servers));
}

/** The limit of open files; node has raised the soft limit to the hard one. Where it cannot be read, none is assumed. */
function readFilesMax(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return Number(soft ?? Number.POSITIVE_INFINITY);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Closes connections whose client has not fetched its answer for `unsentMs`, until the server closes. Returns the open connections. */
export function closeUnread(server: Server, unsentMs = UNSENT_MS, checkMs = CHECK_MS): ReadonlySet<Socket> {
  const unsentSince = new Map<Socket, number>();
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      unsentSince.delete(socket);
    });
  });
  const check = setInterval(() => {
    const now = performance.now();
    for (const socket of sockets) {
      const since = unsentSince.get(socket);
      if (socket.writableLength === 0) {
        if (since !== undefined) unsentSince.delete(socket);
      } else if (since === undefined) unsentSince.set(socket, now);
      else if (now - since > unsentMs) socket.destroy();
    }
  }, checkMs).unref();
  server.once('close', () => clearInterval(check));
  return sockets;
}

/** Closes the connection of a client that has its answer and goes on sending a body. */
export function lingerBriefly(req: IncomingMessage, res: ServerResponse): void {
  res.once('finish', () => {
    if (req.complete) return;
    const timer = setTimeout(() => req.socket.destroy(), LINGER_MS);
    req.once('close', () => clearTimeout(timer));
  });
}
