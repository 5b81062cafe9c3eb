/** Text that is HTML already. */
export interface Html {
  readonly html: string;
}

type Part = Html | string | number | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string);
  if (typeof part === 'number') return String(part);
  return 'html' in part ? part.html : part.map(textOf).join('');
}

/** HTML; escapes every part that is not HTML itself. */
export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.map((text, i) => text + textOf(parts[i])).join(''),
});

/** Descriptions: paragraphs, numbered lists, `code` and **strong**, the Markdown that descriptions use. */
export function prose(text: string): Html[] {
  return text.split('\n\n').map((block) => {
    const lines = block.split('\n');
    if (!lines.every((line) => /^\d+\. /.test(line))) return html`<p>${inline(block)}</p>`;
    return html`<ol>${lines.map((line) => html`<li>${inline(line.replace(/^\d+\. /, ''))}</li>`)}</ol>`;
  });
}

/** One line of a description. */
export const inline = (text: string): Html[] =>
  text.split(/(`[^`]+`|\*\*[^*]+\*\*)/).map((part) => {
    if (part.startsWith('`')) return html`<code>${part.slice(1, -1)}</code>`;
    return part.startsWith('**') ? html`<strong>${part.slice(2, -2)}</strong>` : html`${part}`;
  });

/** JSON, coloured by kind. */
export function highlighted(value: unknown): Html[] {
  return JSON.stringify(value, null, 2)
    .split(/("(?:[^"\\]|\\.)*"(?:(?=:))?|\b(?:true|false|null)\b|-?\b\d+(?:\.\d+)?\b)/)
    .map((part, i, all) => {
      if (i % 2 === 0) return html`${part}`;
      if (!part.startsWith('"')) return html`<i class="lit">${part}</i>`;
      return all[i + 1]?.startsWith(':')
        ? html`<i class="key">${part}</i>`
        : html`<i class="str">${part}</i>`;
    });
}
