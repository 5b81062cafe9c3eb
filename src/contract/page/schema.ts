import type { Schema } from '../types.ts';
import { type Contract, isReference, nameOf } from './contract.ts';
import { type Html, html, inline } from './html.ts';

/** The type of a value in a few words, with links to named schemas. */
export function typeOf(schema: Schema): Html {
  if (isReference(schema)) return html`<a href="#schema-${nameOf(schema)}">${nameOf(schema)}</a>`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum && schema.enum.length < 6)
    return html`${schema.enum.map((word, i) => html`${i > 0 && ' | '}<code>${String(word)}</code>`)}`;
  if (schema.prefixItems)
    return html`[${schema.prefixItems.map((each, i) => html`${i > 0 && ', '}${typeOf(each)}`)}]`;
  if (schema.items) return html`list of ${typeOf(schema.items)}`;
  if (schema.format === 'date-time') return html`time`;
  return html`${schema.type ?? 'anything'}${bounds(schema)}`;
}

function bounds({ minimum, maximum, maxLength }: Schema): string {
  const number = (value: number) => value.toLocaleString('en');
  if (minimum !== undefined && maximum !== undefined) return `, ${number(minimum)} to ${number(maximum)}`;
  if (minimum !== undefined && minimum > 0) return `, at least ${number(minimum)}`;
  return maxLength === undefined ? '' : `, up to ${number(maxLength)} characters`;
}

/** A named value: a parameter, a header, or a field of an object. */
export function field(
  name: string,
  schema: Schema,
  {
    note = '',
    description = schema.description ?? '',
    id = '',
  }: { note?: string; description?: string; id?: string } = {},
): Html {
  const pattern =
    schema.pattern && schema.format === undefined && html`<span class="pattern">${schema.pattern}</span>`;
  const byDefault =
    schema.default !== undefined && html`<span class="note">default ${String(schema.default)}</span>`;
  return html`<li class="field"${id && html` id="${id}"`}><code class="name">${name}</code> <span class="type">${typeOf(schema)}</span> ${
    note && html`<span class="note ${note}">${note}</span>`
  } ${byDefault}${description && html`<p>${inline(description)}</p>`}${pattern}${nested(schema)}</li>`;
}

/** The fields of an object. */
export function fields(schema: Schema): Html | undefined {
  if (!schema.properties) return undefined;
  const isOptional = (name: string) => !schema.required?.includes(name);
  return html`<ul class="fields">${Object.entries(schema.properties).map(([name, each]) =>
    field(name, each, { note: isOptional(name) ? 'optional' : '' }),
  )}</ul>`;
}

const nested = (schema: Schema): Html | undefined => fields(schema) ?? (schema.items && fields(schema.items));

/** One of the document's schemas. */
export function schemaSection(name: string, schema: Schema): Html {
  return html`<section class="schema" id="schema-${name}"><h3>${name} <span class="type">${typeOf(schema)}</span></h3>${
    schema.description && html`<p>${inline(schema.description)}</p>`
  }${schema.pattern && html`<p class="pattern">${schema.pattern}</p>`}${fields(schema)}</section>`;
}

/** Whether a schema has a section; those of single problems are in the table of errors. */
export const isShown = ({ document }: Contract, name: string): boolean => {
  const code = document.components.schemas[name]?.properties?.code;
  return code?.const === undefined;
};
