import assert from 'node:assert/strict';
import type { Http, Reply } from './http.ts';

/** What customers and the shop's owner do, over HTTP. */

export const checkout = (http: Http, user: string, item: string, sale?: string): Promise<Reply> =>
  http.post(`/checkout?user_id=${user}&id=${item}${sale === undefined ? '' : `&sale_id=${sale}`}`);

export const purchase = (http: Http, code: string, headers: Record<string, string> = {}): Promise<Reply> =>
  http.post(`/purchase?code=${code}`, { headers });

/** The code of a cart with these items; the sale must take them all. */
export async function fillCart(
  http: Http,
  user: string,
  items: readonly string[],
  sale?: string,
): Promise<string> {
  let code = '';
  for (const item of items) {
    const reply = await checkout(http, user, item, sale);
    assert.equal(reply.status, 200, reply.text);
    code = reply.body.code;
  }
  return code;
}

export interface Shelf {
  readonly sale: string;
  readonly items: readonly string[];
}

/** Creates a sale through the admin API; returns its id and its items' ids in their order. */
export async function addShelf(
  http: Http,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<Shelf> {
  const created = await http.post('/admin/sales', { body, headers });
  assert.equal(created.status, 201, created.text);
  const sale = created.body.data.id as string;
  const page = await http.get(`/sales/${sale}/items?limit=1000`);
  return { sale, items: page.body.map((item: { id: string }) => item.id) };
}

/** The receipt in what GET /purchases/{code} answers, as the purchase was answered. */
export function receiptIn({ body }: Reply): unknown {
  const { sale_id, purchased_at, state, ...receipt } = body;
  assert.match(`${sale_id} ${purchased_at} ${state}`, /^S-[0-9a-f]{10} \d{4}-\d\d-\d\dT[\d:.]+Z [a-z_]+$/);
  return receipt;
}

/** A time as the contract writes it. */
export const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

const PROBLEM_FIELDS = ['type', 'title', 'status', 'detail', 'code', 'message', 'instance', 'request_id'];

/** Asserts a problem in the one form, with this code and status and at most these extension members. */
export function assertProblem(reply: Reply, status: number, code: string, ...extensions: string[]): void {
  assert.deepEqual([reply.status, reply.body?.code], [status, code], reply.text);
  assert.equal(reply.headers['content-type'], 'application/problem+json');
  assert.deepEqual(Object.keys(reply.body), [...PROBLEM_FIELDS, ...extensions]);
  const { type, title, detail, message, instance, request_id: id } = reply.body;
  assert.equal(type, `urn:flashsale:problem:${code}`);
  assert.equal(reply.body.status, status);
  assert.match(title, /^[A-Z]/);
  assert.match(message, /^[A-Z].*\.$/);
  assert.equal(detail, message);
  assert.ok(instance === '' || instance.startsWith('/'), instance);
  assert.equal(id, reply.headers['x-request-id']);
  assert.match(String(id), /^[A-Za-z0-9._-]{1,128}$/);
  assert.equal(reply.headers['retry-after'], status === 503 ? '1' : undefined);
}
