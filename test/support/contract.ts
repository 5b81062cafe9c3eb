import assert from 'node:assert/strict';
import { registerSchema, validate } from '@hyperjump/json-schema/draft-2020-12';
import { readConfig } from '../../src/config.ts';
import { openApiDocument } from '../../src/contract/document.ts';
import { contractOf, type Described } from '../../src/contract/page/contract.ts';
import type { Example, Header, Response, Schema } from '../../src/contract/types.ts';
import type { RouteDeps } from '../../src/routes/deps.ts';
import { listEndpoints } from '../../src/routes/list.ts';
import type { Reply } from './http.ts';

/** Endpoints that are looked at, and never asked. */
const silent = { config: readConfig({}), liveSales: { find: () => undefined } };
export const endpoints = listEndpoints(silent as unknown as RouteDeps);
/** The documented contract, to hold answers against. */
export const document = openApiDocument('0.0.0', endpoints);
export const contract = contractOf(document);

export function operationOf(id: string): Described {
  const found = contract.operations.find(({ operation }) => operation.operationId === id);
  assert.ok(found, `no operation ${id}`);
  return found;
}

/**
 * The schema of JSON Schema 2020-12 that a schema of the document is, with no room for fields that it does not
 * name: what is answered must be documented.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  if (typeof copy.$ref === 'string')
    copy.$ref = copy.$ref.replace('#/components/schemas/', `${SCHEMAS}#/$defs/`);
  if ('properties' in copy && 'type' in copy) copy.additionalProperties = false;
  return copy;
}

const SCHEMAS = 'https://flashsale.test/schemas';
const register = (schema: object, uri: string) =>
  registerSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }, uri);
register({ $defs: closed(document.components.schemas) }, SCHEMAS);

const compile = (schema: string, uri: string) => {
  register({ allOf: [JSON.parse(schema)] }, uri);
  return validate(uri);
};
const compiled = new Map<string, ReturnType<typeof compile>>();

/** Compiles a schema of the document into a check of values. */
export async function checkOf(schema: Schema) {
  const text = JSON.stringify(closed(schema));
  const compiling = compiled.get(text) ?? compile(text, `${SCHEMAS}/${compiled.size}`);
  compiled.set(text, compiling);
  const check = await compiling;
  return (value: unknown) => check(value as Parameters<typeof check>[0], 'BASIC');
}

/** Asserts that a value is what a schema of the document says. */
export async function assertValid(schema: Schema, value: unknown, what: string): Promise<void> {
  const output = (await checkOf(schema))(value);
  assert.ok(output.valid, `${what}: ${JSON.stringify(value)} ${JSON.stringify(output)}`);
}

/** Headers of HTTP itself and of every answer to a browser; they are no part of the contract. */
const UNDOCUMENTED =
  /^(date|connection|keep-alive|content-(type|length|encoding)|set-cookie|vary|transfer-encoding|x-content-type-options|x-frame-options|referrer-policy|content-security-policy|cross-origin-.*)$/;

/** Asserts that an operation's answer is documented: its status, type, body, and every header of the contract. */
export async function assertDocumented({ operation }: Described, reply: Reply): Promise<void> {
  const what = `${operation.operationId} ${reply.status}`;
  const found = operation.responses[String(reply.status)];
  assert.ok(found, `${what} is not documented: ${reply.text}`);
  await assertResponse(contract.find<Response>(found), reply, what);
}

/** Asserts that an answer is the documented one for whatever any request may meet. */
export const assertDocumentedAnywhere = (reply: Reply): Promise<void> =>
  assertResponse(document.components.responses.AnyProblem!, reply, `any ${reply.status}`);

async function assertResponse(response: Response, reply: Reply, what: string): Promise<void> {
  const content = response.content ?? {};
  assert.equal(Object.keys(content).length > 0, reply.text !== '', what);
  if (reply.text !== '') {
    const type = String(reply.headers['content-type']);
    const found = content[type];
    assert.ok(found, `${what} as ${type} is not documented`);
    await assertValid(
      found.schema,
      type.endsWith('/json') || type.endsWith('+json') ? reply.body : reply.text,
      what,
    );
  }
  const headers = Object.entries(response.headers ?? {});
  for (const [name, each] of headers) {
    const { required, schema } = contract.find<Header>(each);
    const value = reply.headers[name.toLowerCase()];
    if (required) assert.ok(value !== undefined, `${what} without ${name}`);
    if (value !== undefined)
      await assertValid(schema, schema.type === 'integer' ? Number(value) : value, `${what} ${name}`);
  }
  const names = headers.map(([name]) => name.toLowerCase());
  const others = Object.keys(reply.headers).filter(
    (name) => !names.includes(name) && !UNDOCUMENTED.test(name),
  );
  assert.deepEqual(others, [], `${what} has headers that are not documented`);
}

/** The value of an example of an operation's response. */
export function exampleOf(id: string, status: number): unknown {
  const response = contract.find<Response>(operationOf(id).operation.responses[String(status)]!);
  const example = Object.values(Object.values(response.content ?? {})[0]?.examples ?? {})[0];
  assert.ok(example, `${id} ${status} has no example`);
  return contract.find<Example>(example).value;
}
