/** A server with the lane and Hono, whose answers say which way their requests came, and a client that sends bytes. */
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { json } from '../../src/http/answer.ts';
import { createApp } from '../../src/http/app.ts';
import { createAsk } from '../../src/http/asked.ts';
import { unlessKnown } from '../../src/http/etag.ts';
import { createHandle } from '../../src/http/handle.ts';
import type { Endpoint, Route } from '../../src/http/route.ts';
import { createRouting } from '../../src/http/routing.ts';
import { createHttpServer } from '../../src/http/server.ts';

type Own = Partial<Record<'checkout' | 'purchase', Route['answer']>>;

/** Endpoints whose answers say which way their requests came. */
const saying = (via: string, own: Own): Endpoint[] => [
  {
    method: 'POST',
    path: '/checkout',
    answer: own.checkout ?? (({ query }) => json(200, { via, query: Object.fromEntries(query) })),
  },
  {
    method: 'POST',
    path: '/purchase',
    answer:
      own.purchase ??
      (({ headers }) => json(200, { via, query: {}, replay: headers.idempotencyKey !== undefined })),
  },
  {
    method: 'GET',
    path: '/sales/:id/items',
    answer: ({ params, query }) =>
      json(200, { via, saleId: params.id, query: Object.fromEntries(query), name: 'Löwe' }),
  },
  {
    method: 'GET',
    path: '/openapi.json',
    answer: ({ headers }) =>
      unlessKnown(headers.ifNoneMatch, '"1"', 'application/json', () => '{}', {
        'Cache-Control': 'max-age=1',
      }),
  },
  {
    method: 'GET',
    path: '/livez',
    answer: () => {
      throw new Error('secret');
    },
  },
];

/** A server whose answers say which way they came: `via` is "lane" or "hono", or the same for both. */
export async function serve(
  own: Own = {},
  { asksToClose = (): boolean => false, via = ['lane', 'hono'] } = {},
) {
  const ask = createAsk();
  const handle = createHandle({ observe: () => {}, onError: () => {} });
  const [routing, other] = via.map((each) => createRouting(saying(each, own))) as [
    ReturnType<typeof createRouting>,
    ReturnType<typeof createRouting>,
  ];
  const app = createApp({ routing: other, ask, handle, admin: 'open' });
  const made = createHttpServer({ app, routing, ask, handle, asksToClose, connectionsMax: 100 });
  await once(made.server.listen(0, '127.0.0.1'), 'listening');
  made.server.unref();
  return made;
}

/** Sends parts with a pause between them (`inTurn`: each behind the answer to the one before), closes its side if told to, and returns what came until `answers` were whole, or the end. */
export async function talk(
  { server }: Awaited<ReturnType<typeof serve>>,
  parts: readonly string[],
  { answers = 1, ends = false, inTurn = false } = {},
): Promise<{ text: string; bodies: { via: string; query: Record<string, string> }[]; closed: boolean }> {
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  socket.setEncoding('utf8').setTimeout(10_000, () => socket.destroy(new Error('no answer')));
  let text = '';
  let closed = false;
  const bodies = () => text.split(/(?=HTTP\/1\.1 \d)/).map((answer) => answer.split('\r\n\r\n')[1] ?? '');
  const count = () => bodies().filter((body) => body.endsWith('}')).length;
  const whole = new Promise<void>((resolve, reject) => {
    socket.on('data', (part) => {
      text += part;
      if (count() >= answers) resolve();
    });
    socket.on('error', reject).on('end', () => {
      closed = true;
      resolve();
    });
  });
  for (const [sent, part] of parts.entries()) {
    socket.write(part);
    if (inTurn) while (count() <= sent && !closed) await sleep(1);
    else if (parts.length > 1) await sleep(5);
  }
  if (ends) socket.end();
  await whole;
  await sleep(5);
  socket.destroy();
  return { text, bodies: bodies().map((body) => JSON.parse(body)), closed };
}

export const plain = (query = 'user_id=ada&id=lamp-1', ...more: string[]) =>
  [`POST /checkout?${query} HTTP/1.1`, 'Host: shop', ...more, '', ''].join('\r\n');
