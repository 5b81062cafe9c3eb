import { pipeline, Readable } from 'node:stream';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Answer, BodyStream } from './answer.ts';
import type { Asked } from './asked.ts';
import { headersOf } from './head.ts';

/**
 * Writes an answer whose body comes in parts, each when the socket has room for it. A client that leaves ends the parts. One that
 * fails breaks the connection: the adapter's own writer would send the error's message, and end the body as if it were whole.
 */
export function respondInParts(
  { parts, onEnd }: BodyStream,
  answer: Answer,
  { requestId }: Asked,
  { outgoing }: HttpBindings,
): Response {
  outgoing.writeHead(answer.status, headersOf(answer, requestId));
  outgoing.flushHeaders();
  pipeline(Readable.from(parts(), { highWaterMark: 1 }), outgoing, onEnd);
  return RESPONSE_ALREADY_SENT;
}
