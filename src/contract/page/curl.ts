import type { Example, Parameter } from '../types.ts';
import type { Contract, Described } from './contract.ts';

/** Headers that every request may have; a first request does without. */
export const COMMON_HEADERS: readonly string[] = ['X-Request-Id', 'traceparent'];

/** The example request of an operation as a curl command, where `B` is the address of the service. */
export function curlOf(contract: Contract, { method, path, operation }: Described): string {
  const shown = operation.parameters
    .map((each) => contract.find<Parameter>(each))
    .filter(({ name, example }) => example !== undefined && !COMMON_HEADERS.includes(name));
  const of = (place: Parameter['in']) => shown.filter((each) => each.in === place);
  const target = of('path').reduce(
    (text, { name, example }) => text.replace(`{${name}}`, `${example}`),
    path,
  );
  const query = of('query').map(({ name, example }) => `${name}=${example}`);
  const body = Object.values(operation.requestBody?.content['application/json']?.examples ?? {})[0];
  const options = [
    ...(operation.security ? ['-H "Authorization: Bearer $ADMIN_TOKEN"'] : []),
    ...of('header').map(({ name, example }) => `-H '${name}: ${example}'`),
    ...(body
      ? [`-H 'Content-Type: application/json'`, `-d '${indented(contract.find<Example>(body).value)}'`]
      : []),
  ];
  const first = method === 'get' ? 'curl' : `curl -X ${method.toUpperCase()}`;
  const url = `"$B${target}${query.length > 0 ? `?${query.join('&')}` : ''}"`;
  return options.length === 0 ? `${first} ${url}` : [first, ...options, url].join(' \\\n  ');
}

const indented = (value: unknown): string => JSON.stringify(value, null, 2).replaceAll('\n', '\n  ');
