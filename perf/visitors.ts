/** A crowd that comes and goes for a while: each place in it is taken by one visitor after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Lost, openConnection } from './client.ts';
import { type Behaviour, POPULAR_SHARE, type Profile } from './profiles.ts';
import type { Recorder } from './record.ts';
import { buy, checkOut, problemOf, type Session } from './session.ts';

export interface VisitorsOptions {
  readonly url: string;
  readonly saleId: string;
  /** The whole catalogue in its order. */
  readonly items: readonly string[];
  readonly profile: Profile;
  /** Visitors are called `prefix` and a number. */
  readonly prefix: string;
}

/** How long the visitors of the last second may take to finish. */
const GRACE_MS = 5_000;

/** Lets the crowd in for the profile's time; resolves when the last has left. */
export async function runVisitors(options: VisitorsOptions, record: Recorder): Promise<void> {
  const { profile, url } = options;
  const endsAtMs = performance.now() + profile.seconds * 1_000;
  let visitors = 0;
  const places = profile.crowd.flatMap((behaviour) =>
    Array.from({ length: Math.round(behaviour.share * profile.users) }, () => behaviour),
  );
  await Promise.all(
    places.map(async (behaviour) => {
      const connection = openConnection(url);
      // Spread the pauses: visitors do not think in step.
      await sleep(Math.random() * behaviour.thinkMs);
      while (performance.now() < endsAtMs) {
        const session = { connection, record, saleId: options.saleId, giveUpAtMs: endsAtMs + GRACE_MS };
        await visit(session, `${options.prefix}${visitors++}`, behaviour, options.items);
      }
      connection.close();
    }),
  );
}

async function visit(
  session: Session,
  user: string,
  behaviour: Behaviour,
  items: readonly string[],
): Promise<void> {
  const { thinkMs } = behaviour;
  const think = async () => {
    if (thinkMs > 0) await sleep(thinkMs);
  };
  // Visitors with pauses browse first.
  if (thinkMs > 0) await browse(session);
  await think();
  if (Math.random() >= behaviour.checksOut) return;
  let code: string | undefined;
  for (let n = 0; n < behaviour.items; n++) {
    const outcome = await checkOut(session, user, pick(items, behaviour.popular));
    if ('code' in outcome) code = outcome.code;
    await think();
  }
  if (code !== undefined && Math.random() < behaviour.buys) await buy(session, user, code);
}

function pick(items: readonly string[], popular: number): string {
  const among = Math.random() < popular ? Math.ceil(items.length * POPULAR_SHARE) : items.length;
  return items[Math.floor(Math.random() * among)] as string;
}

async function browse({ connection, record, saleId }: Session): Promise<void> {
  const beganMs = performance.now();
  try {
    const reply = await connection.request('GET', `/sales/${saleId}`);
    record.answered('browse', reply.status === 200 ? '200' : `${reply.status} ${problemOf(reply)}`, beganMs);
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    record.answered('browse', 'connection lost', beganMs);
    await sleep(100);
  }
}
