// Preloaded into a service by the fault campaign (NODE_OPTIONS=--import …): kills or holds the process at a chosen point.
// The service itself has none of this. FAULT_FILE names a file that arms it: "point count". The process
// that reaches the count first deletes the file and dies, or stands still for a while at a point that begins with "hold".
import { readFileSync, unlinkSync } from 'node:fs';
import bloomFilters from 'bloom-filters';
import pg from 'pg';
import { createClient } from 'redis';

const file = process.env.FAULT_FILE;
/** Longer than the leader waits before it does what a worker has not. */
const HOLD_MS = 700;
let armed = '';
let reached = 0;

/** Dies, or is held, if this is the chosen point, and has now been reached often enough. */
function pass(point: string): void {
  let order: string;
  try {
    order = readFileSync(file as string, 'utf8');
  } catch {
    return; // not armed
  }
  if (order !== armed) {
    armed = order;
    reached = 0;
  }
  const [wanted, count] = order.split(' ');
  // A rebuild is the primary's; everything else is meant for workers, also where the sweeper does it too.
  if ((process.env.WORKER_SLOT === undefined) !== (point === 'rebuild-step')) return;
  if (wanted !== point || ++reached < Number(count)) return;
  try {
    unlinkSync(file as string);
  } catch {
    return; // another process was faster
  }
  if (point.startsWith('hold')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HOLD_MS);
  else process.kill(process.pid, 'SIGKILL');
}

// biome-ignore lint/suspicious/noExplicitAny: the drivers' own types do not matter here
type Any = any;

/** The prototype that has the method itself. */
function ownerOf(instance: object, method: string): Any {
  let proto = Object.getPrototypeOf(instance);
  while (!Object.hasOwn(proto, method)) proto = Object.getPrototypeOf(proto);
  return proto;
}

function wrapRedis(): void {
  const proto = ownerOf(createClient(), 'sendCommand');
  const send = proto.sendCommand;
  proto.sendCommand = function (this: Any, args: Any, ...rest: Any[]) {
    const isScript = args[0] === 'EVALSHA' || args[0] === 'EVAL';
    // Only the purchase script is given the channel and an outbox; only a rebuild shows a token.
    const isPurchase = args.includes('flashsale:sold') && args.some((word: Any) => word.endsWith(':outbox'));
    if (isScript && isPurchase) {
      pass('before-script');
      const reply = send.call(this, args, ...rest);
      reply.then(
        () => pass('after-script'),
        () => {},
      );
      return reply;
    }
    if (
      isScript &&
      args.some((word: Any) => String(word).endsWith(':returns')) &&
      args.includes('flashsale:sold')
    ) {
      pass('before-shelve');
      pass('hold-shelve');
      const reply = send.call(this, args, ...rest);
      reply.then(
        () => pass('after-shelve'),
        () => {},
      );
      return reply;
    }
    if (isScript && args.some((word: Any) => String(word).startsWith('loading:'))) pass('rebuild-step');
    return send.call(this, args, ...rest);
  };
}

function wrapPostgres(): void {
  const proto = pg.Client.prototype as Any;
  const query = proto.query;
  proto.query = function (this: Any, config: Any, ...rest: Any[]) {
    if (!config?.name?.startsWith('commit_purchases')) return query.call(this, config, ...rest);
    pass('before-commit');
    const last = rest.at(-1);
    if (typeof last === 'function') {
      rest[rest.length - 1] = (...result: Any[]) => {
        if (!result[0]) pass('after-commit');
        last(...result);
      };
    }
    return query.call(this, config, ...rest);
  };
}

if (file !== undefined) {
  wrapRedis();
  wrapPostgres();
}
if (process.env.FAULT_FILTER === 'maybe') bloomFilters.BloomFilter.prototype.has = () => true;
