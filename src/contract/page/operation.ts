import { PROBLEM_TYPE } from '../../http/problem.ts';
import type { Example, MediaType, Parameter, Response } from '../types.ts';
import { type Contract, type Described, nameOf } from './contract.ts';
import { COMMON_HEADERS, curlOf } from './curl.ts';
import { type Html, highlighted, html, inline, prose } from './html.ts';
import { field, typeOf } from './schema.ts';

/** An operation: what it takes and answers, and beside it how that looks. */
export function operationSection(contract: Contract, described: Described): Html {
  const { method, path, operation } = described;
  return html`<section class="operation" id="${operation.operationId}">
<div class="text">
<h3><a href="#${operation.operationId}">${operation.summary}</a></h3>
<p class="route"><span class="method ${method}">${method}</span> <code>${breakable(path)}</code></p>
${prose(operation.description)}
${operation.security && html`<p class="auth">Needs <code>Authorization: Bearer …</code></p>`}
${parameterList(contract, described)}
${operation.requestBody && html`<h4>Body</h4><p>${typeOf(jsonOf(operation.requestBody.content)!.schema)} as <code>application/json</code></p>`}
<h4>Answers</h4>
${Object.entries(operation.responses).map(([status, each]) => status !== 'default' && answer(contract, status, contract.find<Response>(each)))}
</div>
<div class="samples">${samples(contract, described)}</div>
</section>`;
}

/** A path that may break after a slash. */
const breakable = (path: string): Html[] => path.split(/(?=\/)/).map((part) => html`<wbr>${part}`);

const jsonOf = (content: Response['content']): MediaType | undefined => content?.['application/json'];

function parameterList(contract: Contract, { operation }: Described): Html | undefined {
  const parameters = operation.parameters
    .map((each) => contract.find<Parameter>(each))
    .filter(({ name }) => !COMMON_HEADERS.includes(name));
  if (parameters.length === 0) return undefined;
  return html`<h4>Parameters</h4><ul class="fields">${parameters.map((each) => {
    const note = each.required
      ? 'required'
      : each.deprecated
        ? 'deprecated'
        : each.in === 'header'
          ? 'header'
          : 'optional';
    return field(each.name, each.schema, { note, description: each.description });
  })}</ul>`;
}

function answer(contract: Contract, status: string, response: Response): Html {
  const problems = Object.values(response.content?.[PROBLEM_TYPE]?.examples ?? {});
  const json = jsonOf(response.content);
  const type = Object.keys(response.content ?? {})[0];
  const body = (json || type) && html` <span class="type">${json ? typeOf(json.schema) : type}</span>`;
  return html`<div class="answer"><span class="status s${status[0]}">${status}</span><div>${
    problems.length > 0
      ? html`<ul class="codes">${problems.map((each) => problemLine(contract.find<Example>(each), response))}</ul>`
      : html`<p>${inline(response.description)}${body}</p>`
  }${headerList(response)}</div></div>`;
}

function problemLine({ value }: Example, { description, content }: Response): Html {
  const { code, message } = value as { code: string; message: string };
  const isOnly = Object.keys(content?.[PROBLEM_TYPE]?.examples ?? {}).length === 1;
  const sentence = isOnly ? description.replace(/^`\w+`: /, '') : message;
  return html`<li><a href="#error-${code}"><code>${code}</code></a> <span>${inline(sentence)}</span></li>`;
}

function headerList({ headers = {} }: Response): Html | undefined {
  const own = Object.keys(headers).filter((name) => !COMMON_HEADERS.includes(name));
  if (own.length === 0) return undefined;
  return html`<p class="headers">with ${own.map((name, i) => html`${i > 0 && ', '}<a href="#header-${name}">${name}</a>`)}</p>`;
}

function samples(contract: Contract, described: Described): (Html | undefined)[] {
  const { operation } = described;
  const success = Object.entries(operation.responses)[0] as [string, Response];
  return [
    html`<figure><figcaption>Request</figcaption><pre tabindex="0">${curlOf(contract, described)}</pre></figure>`,
    ...Object.values(jsonOf(success[1].content)?.examples ?? {}).map((each) =>
      json(success[0], contract.find<Example>(each).value),
    ),
    problemSamples(contract, described),
  ];
}

const json = (caption: string, value: unknown): Html =>
  html`<figure><figcaption>${caption}</figcaption><pre tabindex="0">${highlighted(value)}</pre></figure>`;

/** Only problems with extra members are worth an example. */
function problemSamples(contract: Contract, { operation }: Described): Html | undefined {
  const examples = Object.values(operation.responses)
    .flatMap((each) => ('content' in each ? Object.values(each.content?.[PROBLEM_TYPE]?.examples ?? {}) : []))
    .map((each) => ({
      name: 'value' in each ? '' : nameOf(each),
      value: contract.find<Example>(each).value,
    }));
  if (examples.length === 0) return undefined;
  return html`<details><summary>${examples.length} ${examples.length === 1 ? 'error' : 'errors'}</summary>${examples.map(
    ({ value }) => {
      const { status, code } = value as { status: number; code: string };
      return json(`${status} ${code}`, value);
    },
  )}</details>`;
}
