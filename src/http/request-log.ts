import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { maskCodes } from '../mask.ts';
import type { Answer } from './answer.ts';
import type { Asked } from './asked.ts';
import type { Observer } from './observer.ts';

/** Probes ask these every few seconds; their lines would hide the others. */
const PROBES = new Set(['/livez', '/readyz', '/metrics']);
/** These paths and queries hold nothing but checkout codes beside the route. */
const PLAIN = new Set(['/checkout', '/purchase', '/purchases/:code']);
const PATH_MAX = 256;

type Level = 'debug' | 'info' | 'warn' | 'error';

/**
 * Writes one line per request, in the form of all our lines. Made by hand, without an object for pino to make text of.
 * Everything in it is of a strict charset, except paths. `write` takes whole lines, each with its line feed.
 */
export function createRequestLog(
  config: Pick<Config, 'logRequests' | 'logRefusals' | 'slowRequestMs'>,
  slot: number,
  log: Pick<Log, 'isLevelEnabled'>,
  write: (line: string) => void,
): Observer {
  const who = `","process":"worker-${slot}","pid":${process.pid},"worker":${slot},"request_id":"`;
  const timeOf = createClock();
  let credit = 0;

  /** Each refusal adds a share of a line; a line is written when the shares reach one. */
  const isSampled = () => {
    credit += config.logRefusals;
    if (credit < 1) return false;
    credit -= 1;
    return true;
  };

  const levelOf = (quiet: boolean, asked: Asked, status: number, ms: number): Level | undefined => {
    if (status >= 500 && status !== 503) return 'error';
    if (config.logRequests === 'failures') return undefined;
    if (ms >= config.slowRequestMs) return 'warn';
    if (asked.bought !== undefined) return 'info';
    if (status >= 400 && !isSampled()) return undefined;
    return quiet ? 'debug' : config.logRequests;
  };

  return (handler) => {
    const quiet = PROBES.has(handler);
    const plain = PLAIN.has(handler);
    const route = `,"handler":"${handler}","method":"`;
    return (asked, answer, ms) => {
      const level = levelOf(quiet, asked, answer.status, ms);
      if (level === undefined || !log.isLevelEnabled(level)) return;
      const { requestId, traceparent, sale, method } = asked;
      const trace = traceparent === undefined ? '' : `","trace_id":"${traceparent.slice(3, 35)}`;
      const about = sale === undefined ? '"' : `","sale":"${sale}"`;
      const path = plain ? '' : `,"path":${JSON.stringify(maskCodes(asked.path.slice(0, PATH_MAX)))}`;
      write(
        `{"level":"${level}","time":"${timeOf(Date.now())}${who}${requestId.includes('CHK') ? maskCodes(requestId) : requestId}${trace}${about}${route}${method}"${path}${result(asked, answer, ms)}\n`,
      );
    };
  };
}

/** How it ended: what every line ends with. */
function result({ bought, lost }: Asked, { status, code }: Answer, ms: number): string {
  const outcome = code === undefined ? '' : `,"outcome":"${code}"`;
  const rounded = Math.round(ms * 100) / 100;
  return bought === undefined
    ? `,"status":${status}${outcome},"ms":${rounded},"msg":"request"}`
    : `,"status":${status}${outcome},"bought":${bought},"lost":${lost},"ms":${rounded},"msg":"purchase"}`;
}

/** A time as text, made once per millisecond. */
function createClock() {
  let [lastMs, text] = [0, ''];
  return (ms: number) => {
    if (ms !== lastMs) [lastMs, text] = [ms, new Date(ms).toISOString()];
    return text;
  };
}

/** How any other log line names its request. */
export const logFields = ({ requestId, traceparent }: Asked) =>
  traceparent
    ? { request_id: maskCodes(requestId), trace_id: traceparent.slice(3, 35) }
    : { request_id: maskCodes(requestId) };
