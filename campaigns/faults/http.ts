import { Agent, request } from 'node:http';

/** An HTTP answer, or why there is none. */
export interface Reply {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** `ECONNREFUSED`, `ECONNRESET`, `timeout` …, when there was no answer. */
  readonly error?: string;
}

/** Longer than any deadline of the service: a request without an answer by then is lost. */
const PATIENCE_MS = 5_000;

export const newAgent = (sockets: number) => new Agent({ keepAlive: true, maxSockets: sockets });

/** One request; never throws. */
export function call(
  agent: Agent,
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: string; patienceMs?: number } = {},
): Promise<Reply> {
  return new Promise((resolve) => {
    const req = request(url, { agent, method: options.method ?? 'GET', headers: options.headers ?? {} });
    const fail = (error: string) => {
      resolve({ status: 0, body: '', headers: {}, error });
      req.destroy();
    };
    const timer = setTimeout(() => fail('timeout'), options.patienceMs ?? PATIENCE_MS);
    req.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    req.on('close', () => clearTimeout(timer));
    req.on('response', (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        body += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode as number, body, headers: res.headers }));
      res.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    });
    req.end(options.body);
  });
}

export function parseBody(reply: Reply): Record<string, unknown> {
  try {
    return JSON.parse(reply.body) as Record<string, unknown>;
  } catch {
    return {};
  }
}
