import type { Documented } from '../contract/operation.ts';
import type { Asked } from '../http/asked.ts';
import { ADMIN } from '../http/strictness.ts';
import { noteAction } from '../store/actions.ts';
import type { RouteDeps } from './deps.ts';

/** Characters of query and body that are kept of an action: a sale's facts, not its ten thousand items. */
const KEPT_MAX = 2_000;

type NotedDeps = Pick<RouteDeps, 'config' | 'postgres' | 'onError'>;

/**
 * Every endpoint that changes something, noting who changed what when it did. An action that happened is answered so, also when it could not be
 * noted: that is in the log.
 */
export const noted = (deps: NotedDeps, endpoint: Documented): Documented => {
  const { method, path, changesNothing } = endpoint;
  if (method === 'GET' || changesNothing || !path.startsWith(ADMIN)) return endpoint;
  return {
    ...endpoint,
    async answer(asked) {
      let body = '';
      const { readBody } = asked;
      const keeping = readBody && {
        readBody: async () => {
          const bytes = await readBody();
          body = Buffer.from(bytes.subarray(0, KEPT_MAX)).toString();
          return bytes;
        },
      };
      const answer = await endpoint.answer(Object.assign(asked, keeping));
      if (answer.status < 300) await note(deps, asked, body, answer.status);
      return answer;
    },
  };
};

async function note(
  { config, postgres, onError }: NotedDeps,
  asked: Asked,
  body: string,
  status: number,
): Promise<void> {
  const { method, path, query, headers, peer } = asked;
  const who =
    config.adminToken === undefined ? 'anybody' : headers.authorization === undefined ? 'console' : 'token';
  const given = [...query].map(([name, value]) => `${name}=${value}`).join('&');
  const what = [given, body].filter((part) => part !== '').join(' ');
  // Postgres' text has no NUL.
  const kept = what.slice(0, KEPT_MAX).replaceAll('\0', '');
  const action = { who, address: peer.remoteAddress ?? '', method, path, what: kept, status };
  await noteAction(postgres, action).catch((error) => onError(asked, error));
}
