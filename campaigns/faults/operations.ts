import type { Agent } from 'node:http';
import type { Entry, History, Line } from './history.ts';
import { call, parseBody, type Reply } from './http.ts';

/** Where a run's clients send their requests, and where they write them down. */
export interface Target {
  /** One service or several; chosen anew for each request, so that an answer is sought on any box. */
  readonly urls: () => readonly string[];
  readonly saleId: string;
  /** Begins every request id of this run. */
  readonly runId: string;
  readonly history: History;
  /** The headers by which a buyer proves himself. */
  readonly proofOf?: (user: string) => Readonly<Record<string, string>>;
  /** What an answer through a balancer says of the service behind it. */
  readonly heard?: (reply: Reply) => Reply;
}

const someUrl = ({ urls }: Target, op: number) => urls()[op % urls().length] as string;

/** Puts an item into the user's cart. Returns how it ended; its `code` is the cart's, if the answer told it. */
export async function checkout(target: Target, agent: Agent, user: string, item: string): Promise<Entry> {
  const op = target.history.nextOp();
  const invoke = { op, does: 'checkout', user, item, request: `${target.runId}-${op}` } as const;
  target.history.add({ ...invoke, type: 'invoke' });
  const query = `user_id=${user}&id=${item}&sale_id=${target.saleId}`;
  const reply = await call(agent, `${someUrl(target, op)}/checkout?${query}`, {
    method: 'POST',
    headers: { 'x-request-id': invoke.request, ...target.proofOf?.(user) },
  });
  const body = parseBody(reply);
  // A client whose first answer was lost is told its cart's code with the refusal.
  const code = (reply.status === 200 ? body.code : body.checkout_code) as string | undefined;
  return end(target, { ...invoke, ...(code && { code }) }, reply, body);
}

/** Buys a cart. `replay` asks for the original answer again. */
export async function purchase(
  target: Target,
  agent: Agent,
  user: string,
  code: string,
  replay = false,
): Promise<Entry> {
  const op = target.history.nextOp();
  const invoke = { op, does: 'purchase', user, code, request: `${target.runId}-${op}` } as const;
  target.history.add({ ...invoke, type: 'invoke' });
  const reply = await call(agent, `${someUrl(target, op)}/purchase?code=${code}`, {
    method: 'POST',
    headers: {
      'x-request-id': invoke.request,
      ...(replay && { 'idempotency-key': 'k' }),
      ...target.proofOf?.(user),
    },
  });
  return end(target, invoke, reply, parseBody(reply));
}

function end(
  target: Target,
  invoke: Omit<Entry, 't' | 'type'>,
  answered: Reply,
  body: Record<string, unknown>,
): Entry {
  const reply = target.heard?.(answered) ?? answered;
  const answer = reply.error ?? (reply.status === 200 ? 'accepted' : String(body.code ?? 'no problem body'));
  const receipt = readReceipt(reply.status === 200 && invoke.does === 'purchase' ? body : body.receipt);
  const again = reply.headers['idempotent-replayed'] === 'true' || answer === 'already_processed';
  const entry = {
    ...invoke,
    type: typeOf(reply, answer),
    status: reply.status,
    answer,
    ...(receipt && { receipt }),
    ...(again && { again }),
  } as const;
  target.history.add(entry);
  return { t: target.history.now(), ...entry };
}

function typeOf(reply: Reply, answer: string): Entry['type'] {
  if (reply.status === 0) return answer === 'ECONNREFUSED' ? 'fail' : 'unknown';
  if (answer === 'unavailable' || answer === 'overloaded') return 'fail';
  // An unexpected error does not say what happened.
  return answer === 'outcome_unknown' || reply.status === 500 ? 'unknown' : 'ok';
}

function readReceipt(value: unknown): Line[] | undefined {
  const items = (value as { purchased_items?: { id: string; sold: boolean }[] } | undefined)?.purchased_items;
  return items?.map(({ id, sold }) => [id, sold]);
}
