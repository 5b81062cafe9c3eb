import { PROBLEM_TYPE } from '../../http/problem.ts';
import type { Document, Example, Parameter, Response } from '../types.ts';
import { type Contract, contractOf, type Described } from './contract.ts';
import { COMMON_HEADERS } from './curl.ts';
import { type Html, html, prose } from './html.ts';
import { operationSection } from './operation.ts';
import { field, isShown, schemaSection } from './schema.ts';
import { STYLE } from './style.ts';

/** A bolt, so that no browser asks for /favicon.ico. */
const ICON = `data:image/svg+xml,${encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#e8590c" d="M9 1 3 9h4l-1 6 7-9H9z"/></svg>')}`;

/** Placeholder for the host under which the page was requested. */
export const HOST = '{host}';

/** The document as one HTML page that loads nothing else; its route replaces HOST. */
export function docsPage(document: Document): string {
  const contract = contractOf(document);
  const { info, tags } = document;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${info.title} API</title>
<link rel="icon" href="${ICON}">
<style>${{ html: STYLE }}</style>
</head>
<body>
<a class="skip" href="#top">Skip to the contract</a>
<input type="checkbox" id="menu" aria-label="Contents"><label for="menu" aria-hidden="true">Contents</label>
${contents(contract)}
<main id="top">
<header><h1>${info.title} <span>API</span></h1>
<p class="lead">${info.summary}</p>
<p class="facts"><span>version ${info.version}</span><a href="openapi.json">OpenAPI ${document.openapi}</a><span>${info.license.name}</span></p>
${prose(info.description)}
</header>
${everyRequest(contract)}
${tags.map(({ name, description }) => {
  const own = contract.operations.filter(({ operation }) => operation.tags.includes(name));
  return html`<h2 id="${name}">${name}</h2><p class="lead">${description}</p>${own.map((each) => operationSection(contract, each))}`;
})}
${errors(contract)}
<h2 id="Headers">Headers</h2><p class="lead">Of answers.</p>
<section class="schema"><ul class="fields">${Object.entries(document.components.headers).map(([name, { schema, description }]) => field(name, schema, { description, id: `header-${name}` }))}</ul></section>
<h2 id="Schemas">Schemas</h2>
${Object.entries(document.components.schemas).map(([name, schema]) => isShown(contract, name) && schemaSection(name, schema))}
</main>
</body>
</html>
`.html;
}

function contents({ document, operations }: Contract): Html {
  return html`<nav aria-label="Contents"><p class="brand"><a href="#top">${document.info.title}</a></p>
<ul><li><a href="#Every-request">Every request</a></li></ul>
${document.tags.map(
  ({ name }) =>
    html`<h2><a href="#${name}">${name}</a></h2><ul>${operations
      .filter(({ operation }) => operation.tags.includes(name))
      .map(
        ({ method, operation }) =>
          html`<li><a href="#${operation.operationId}"><span class="method ${method}">${method}</span>${operation.summary}</a></li>`,
      )}</ul>`,
)}
<h2>Reference</h2><ul><li><a href="#Errors">Errors</a></li><li><a href="#Headers">Headers</a></li><li><a href="#Schemas">Schemas</a></li></ul></nav>`;
}

/** What all requests have in common. */
function everyRequest({ document }: Contract): Html {
  const { parameters } = document.components;
  const common = Object.values(parameters).filter(({ name }) => COMMON_HEADERS.includes(name));
  return html`<h2 id="Every-request">Every request</h2>
<section class="schema"><p>The examples are for a shell. Set the address of the service once:</p>
<pre tabindex="0">B=http://${HOST}</pre>
<ul class="fields">${common.map((each: Parameter) => field(each.name, each.schema, { note: 'header', description: each.description }))}</ul>
</section>`;
}

interface Told {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** Every code, by status, and the operations that answer it. */
function errors(contract: Contract): Html {
  const { examples, schemas } = contract.document.components;
  const told = Object.entries(examples)
    .map(([name, { value }]) => ({ name, ...(value as Told) }))
    .filter(({ name, code }) => name === code);
  return html`<h2 id="Errors">Errors</h2>
<p class="lead">All errors are <code>${PROBLEM_TYPE}</code>, of the form of <a href="#schema-${Object.keys(schemas).find((name) => name === 'Problem')}">Problem</a>.</p>
<table><thead><tr><th>Status</th><th>Code</th><th>Meaning</th><th>From</th></tr></thead><tbody>${told.map(
    ({ status, code, message }) =>
      html`<tr id="error-${code}"><td><span class="status s${String(status)[0]}">${status}</span></td><td><code>${code}</code></td><td>${message}</td><td>${places(contract, code)}</td></tr>`,
  )}</tbody></table>`;
}

function places(contract: Contract, code: string): Html {
  const answersIt = (each: Described, isDefault: boolean) =>
    Object.entries(each.operation.responses).some(([status, response]) => {
      if ((status === 'default') !== isDefault) return false;
      const found = contract.find<Response>(response).content?.[PROBLEM_TYPE]?.examples ?? {};
      return Object.values(found).some(
        (example) => (contract.find<Example>(example).value as Told).code === code,
      );
    });
  if (contract.operations.every((each) => answersIt(each, true))) return html`any request`;
  return html`${contract.operations
    .filter((each) => answersIt(each, false))
    .map(
      ({ operation }, i) =>
        html`${i > 0 && ', '}<a href="#${operation.operationId}">${operation.operationId}</a>`,
    )}`;
}
