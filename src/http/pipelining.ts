import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Requests that wait behind another on their connection. node parses up to 64 KiB of them, some 1,800, at once. */
const WAITING_MAX = 128;

const waiting = new WeakMap<Socket, number>();

/**
 * Serves a request when those before it on its connection are answered: one at a time, so that what a client sends
 * without reading is at most one answer in memory. A client with too many waiting requests is disconnected.
 */
export function serveInTurn(
  req: IncomingMessage,
  res: ServerResponse,
  serve: (req: IncomingMessage, res: ServerResponse) => void,
): void {
  // node assigns the socket to an answer when its turn comes.
  if (res.socket !== null) {
    serve(req, res);
    return;
  }
  const { socket } = req;
  const before = waiting.get(socket) ?? 0;
  if (before === WAITING_MAX) {
    socket.destroy();
    return;
  }
  waiting.set(socket, before + 1);
  res.once('socket', () => {
    waiting.set(socket, (waiting.get(socket) as number) - 1);
    serve(req, res);
  });
}
