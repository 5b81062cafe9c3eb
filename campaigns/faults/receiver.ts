import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export interface Received {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly sale_id: string; readonly code?: string };
}

/** A shop's receiver of webhooks: verifies each, and answers as it is told. */
export interface Receiver {
  readonly url: string;
  /** What it has answered 200, in the order of arrival. */
  readonly taken: readonly Received[];
  /** How it answers from now on; null: not at all. */
  answer: (received: Received) => number | null;
  /** Stops listening and breaks every connection. */
  die(): Promise<void>;
  /** Listens again at the same place. */
  comeBack(): Promise<void>;
}

/** Opens one on loopback, at any free port unless one is given. */
export async function openReceiver(port = 0): Promise<Receiver> {
  const webhook = new Webhook(SECRET);
  const taken: Received[] = [];
  let at = port;
  const serve = async (req: IncomingMessage, res: ServerResponse) => {
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk;
    const received = webhook.verify(body, req.headers as Record<string, string>) as Received;
    if (received.id !== req.headers['webhook-id']) throw new Error('another id');
    const status = receiver.answer(received);
    if (status === null) return;
    if (status === 200) taken.push(received);
    res.writeHead(status, status === 302 ? { Location: `http://127.0.0.1:${at}/elsewhere` } : {}).end();
  };
  const listen = async () => {
    const opened = createServer((req, res) => void serve(req, res).catch(() => res.writeHead(400).end()));
    opened.listen(at, '127.0.0.1');
    await once(opened, 'listening');
    at = (opened.address() as AddressInfo).port;
    return opened;
  };
  let server = await listen();
  const receiver: Receiver = {
    url: `http://127.0.0.1:${at}/hooks`,
    taken,
    answer: () => 200,
    async die() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
    async comeBack() {
      server = await listen();
    },
  };
  return receiver;
}
