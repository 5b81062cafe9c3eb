import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { validate } from '@hyperjump/json-schema/openapi-3-1';
import type { Example, Parameter, Response } from '../../src/contract/types.ts';
import { createApp } from '../../src/http/app.ts';
import { PROBLEMS } from '../../src/http/problem.ts';
import { createRouting } from '../../src/http/routing.ts';
import { VERSION } from '../../src/version.ts';
import { assertValid, contract, document, endpoints } from '../support/contract.ts';

const { components } = document;

test('it is a valid document of OpenAPI 3.1, by the official schema', async () => {
  const isDocument = await validate('https://spec.openapis.org/oas/3.1/schema-base');
  const check = (value: unknown) => isDocument(value as Parameters<typeof isDocument>[0], 'BASIC');
  const output = check(document);
  assert.ok(output.valid, JSON.stringify(output));
  for (const paths of [{ '/x': { get: { responses: { 200: {} } } } }, { x: {} }])
    assert.equal(check({ ...document, paths }).valid, false);
});

test('it documents the routes of the app, with their methods, and no others', () => {
  const app = createApp({
    routing: createRouting(endpoints),
    ask: () => assert.fail(),
    handle: () => assert.fail(),
    admin: 'open',
  });
  const routes = app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`);
  const documented = contract.operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  assert.deepEqual(documented.sort(), [...new Set(routes)].sort());
});

test('every problem is documented in an answer, with its status, and no other', () => {
  const told = new Set<string>();
  const responses = contract.operations.flatMap(({ operation }) => Object.entries(operation.responses));
  for (const [status, each] of responses) {
    const content = contract.find<Response>(each).content?.['application/problem+json'];
    for (const example of Object.values(content?.examples ?? {})) {
      const { code, status: ofBody } = contract.find<Example>(example).value as {
        code: string;
        status: number;
      };
      told.add(code);
      if (status !== 'default') assert.equal(String(ofBody), status, code);
    }
  }
  assert.deepEqual([...told].sort(), Object.keys(PROBLEMS).sort());
});

test('every reference leads somewhere, and nothing is defined in vain', () => {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"#\/components\/([^"]+)"/g)].map(([, name]) => name));
  const defined = Object.entries(components)
    .filter(([kind]) => kind !== 'securitySchemes')
    .flatMap(([kind, all]) => Object.keys(all).map((name) => `${kind}/${name}`));
  // The form that all problems share.
  used.add('schemas/Problem');
  assert.deepEqual([...used].sort(), defined.sort());
});

test('parameters in paths are those of the path, and operation ids are unique', () => {
  for (const { path, operation } of contract.operations) {
    const named = operation.parameters.map((each) => contract.find<Parameter>(each));
    const inPath = named.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
    assert.deepEqual(inPath, path.match(/\{\w+\}/g) ?? [], path);
  }
  const ids = contract.operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
});

test('every example is valid by its own schema', async () => {
  let checked = 0;
  const check = async (...args: Parameters<typeof assertValid>) => {
    checked += 1;
    await assertValid(...args);
  };
  for (const { operation } of contract.operations) {
    for (const { name, schema, example } of operation.parameters.map((each) =>
      contract.find<Parameter>(each),
    ))
      if (example !== undefined) await check(schema, example, name);
    const responses = Object.values(operation.responses).map((each) => contract.find<Response>(each));
    for (const { content = {} } of [...responses, operation.requestBody ?? {}])
      for (const { schema, examples = {} } of Object.values(content))
        for (const example of Object.values(examples))
          await check(schema, contract.find<Example>(example).value, operation.operationId);
  }
  assert.ok(checked > 80, `${checked} examples`);
});

test('its version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.equal(VERSION, version);
});
