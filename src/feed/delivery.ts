import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Message } from '../store/feed/webhooks.ts';
import { VERSION } from '../version.ts';
import { isPrivate, publicLookup } from './address.ts';

/** From connecting to the status. Standard Webhooks ask for 15 to 30 s. */
const ANSWER_MS = 15_000;
/** What a receiver may say beside its status; more is cut off. */
const BODY_BYTES_MAX = 64 << 10;

export interface DeliveryOptions {
  readonly url: string;
  readonly secret: string;
  /** Whether the receiver may be in the operator's own network. */
  readonly allowPrivate: boolean;
  readonly connectionsMax: number;
  /** For tests. */
  readonly answerMs?: number;
}

/** `final`: no other try will help. */
export type Delivered =
  | { readonly ok: true }
  | { readonly ok: false; readonly failure: string; readonly final: boolean };

/** Sends messages to the shop's receiver, signed as Standard Webhooks say (https://www.standardwebhooks.com). */
export interface Delivery {
  /** Sends it once; never rejects. Redirects are not followed. */
  send(message: Message): Promise<Delivered>;
  close(): void;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { secret, allowPrivate, connectionsMax, answerMs = ANSWER_MS } = options;
  const url = new URL(options.url);
  const webhook = new Webhook(secret);
  const isSecure = url.protocol === 'https:';
  const agent = new (isSecure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connectionsMax });
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // An address in the URL itself is never looked up.
  const isRefused = !allowPrivate && isIP(host) !== 0 && isPrivate(host);
  const lookup = allowPrivate ? {} : { lookup: publicLookup() };

  const open = ({ id, body }: Message): ClientRequest => {
    const now = new Date();
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'User-Agent': `flashsale/${VERSION}`,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': webhook.sign(id, now, body),
    };
    const signal = AbortSignal.timeout(answerMs);
    const asked: RequestOptions = { method: 'POST', agent, headers, signal, ...lookup };
    return isSecure ? httpsRequest(url, asked) : httpRequest(url, asked);
  };

  return {
    send(message) {
      if (isRefused) return Promise.resolve({ ok: false, failure: 'a private address', final: false });
      return new Promise((resolve) => {
        const sending = open(message);
        sending.on('error', (error: NodeJS.ErrnoException) => {
          const late = error.name === 'TimeoutError' || error.name === 'AbortError';
          const failure = late ? `no answer within ${answerMs} ms` : (error.code ?? error.message);
          resolve({ ok: false, failure, final: false });
        });
        sending.on('response', (res) => {
          const status = res.statusCode as number;
          let bytes = 0;
          res.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > BODY_BYTES_MAX) res.destroy();
          });
          res.on('error', () => {});
          if (status >= 200 && status < 300) resolve({ ok: true });
          // 410: the receiver wants no more of it.
          else resolve({ ok: false, failure: `status ${status}`, final: status === 410 });
        });
        sending.end(message.body);
      });
    },
    close: () => agent.destroy(),
  };
}
