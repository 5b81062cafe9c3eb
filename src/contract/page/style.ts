/** The look of the page: light and dark as the reader's system is, one column on a phone, three on a desk. */
export const STYLE = `
:root {
  --bg: #fff; --text: #1c2027; --soft: #5b6472; --line: #e4e7ec; --panel: #f6f7f9; --link: #0b5cad; --accent: #d9480f;
  --get: #0b7285; --post: #2b7a3b; --s2: #2b7a3b; --s3: #5b6472; --s4: #b35309; --s5: #c92a2a;
  --code: #14181f; --code-text: #d7dde6; --key: #8ec9ff; --str: #a5d6a7; --lit: #f5b97f; --code-soft: #8a95a5;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #0f1216; --text: #e3e7ed; --soft: #9aa4b2; --line: #262c35; --panel: #171b21; --link: #74b8ff; --accent: #ff922b;
    --get: #3bc9db; --post: #69db7c; --s2: #69db7c; --s3: #9aa4b2; --s4: #ffa94d; --s5: #ff8787; --code: #171b21;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--bg); color: var(--text); font: 16px/1.6 var(--sans); }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible, pre:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
code, pre, .type code { font-family: var(--mono); font-size: .86em; }
p, ul, ol { margin: .6em 0; }
p code, li code { background: var(--panel); border-radius: 4px; padding: .12em .35em; }

.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; z-index: 3; background: var(--bg); padding: .5rem 1rem; }

nav { position: fixed; inset: 0 auto 0 0; width: 17rem; overflow-y: auto; padding: 1.6rem 1.2rem 3rem; border-right: 1px solid var(--line); background: var(--bg); font-size: .875rem; }
nav .brand { font-weight: 700; font-size: 1.1rem; margin: 0 0 1rem; }
nav .brand a { color: var(--accent); }
nav h2 { font-size: .72rem; letter-spacing: .07em; text-transform: uppercase; margin: 1.3rem 0 .3rem; }
nav h2 a, nav h2 { color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: .5rem; align-items: baseline; color: var(--text); padding: .2rem .5rem; margin: 0 -.5rem; border-radius: 5px; }
nav li a:hover { background: var(--panel); text-decoration: none; }
nav .method { min-width: 2.6em; font-size: .64rem; padding: 0; background: none; color: var(--hue); }
#menu { position: absolute; opacity: 0; pointer-events: none; }
label[for=menu] { display: none; }

main { margin-left: 17rem; max-width: 78rem; padding: 2.6rem 3rem 8rem; }
h1 { font-size: 2.4rem; line-height: 1.15; letter-spacing: -.025em; margin: 0; }
h1 span { color: var(--soft); font-weight: 400; }
main > h2 { font-size: 1.7rem; letter-spacing: -.015em; margin: 4.5rem 0 0; }
h3 { font-size: 1.2rem; margin: 0 0 .3rem; }
h3 a { color: inherit; }
h4 { font-size: .74rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin: 1.8rem 0 .4rem; }
.lead { color: var(--soft); font-size: 1.08rem; margin: .3rem 0 1.2rem; }
header > p, header > ol { max-width: 46rem; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: 1.8rem; }
.facts > * { border: 1px solid var(--line); border-radius: 99px; padding: .1rem .8rem; font-size: .82rem; color: var(--soft); }
.facts a { color: var(--link); }

.operation { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 27rem); gap: 0 3rem; border-top: 1px solid var(--line); padding: 2.4rem 0 2.6rem; }
.samples { position: sticky; top: 1.5rem; align-self: start; max-height: calc(100vh - 3rem); overflow-y: auto; }
.route { margin: .3rem 0 1rem; }
.route code { font-size: .95em; background: none; padding: 0; overflow-wrap: anywhere; }
.method { --hue: var(--get); display: inline-block; font: 700 .72rem/1 var(--mono); text-transform: uppercase; letter-spacing: .03em; color: var(--bg); background: var(--hue); border-radius: 4px; padding: .32em .55em; }
.method.post, .method.patch, .method.delete { --hue: var(--post); }
.auth { border-left: 3px solid var(--accent); padding-left: .8rem; }

.fields { list-style: none; padding: 0; margin: 0; }
.fields .fields { border-left: 2px solid var(--line); padding-left: 1rem; margin: .6rem 0 .2rem; }
.field { border-top: 1px solid var(--line); padding: .55rem 0; font-size: .94rem; }
.field:first-child { border-top: 0; }
.field p { margin: .15rem 0 0; color: var(--soft); }
.field > .name { font-weight: 600; background: none; padding: 0; }
.type { color: var(--soft); font-size: .85rem; font-weight: 400; }
.note { font-size: .74rem; color: var(--soft); border: 1px solid var(--line); border-radius: 4px; padding: .05rem .4rem; margin-left: .2rem; white-space: nowrap; }
.note.required { color: var(--accent); border-color: currentColor; }
.pattern { display: block; font: .76rem/1.5 var(--mono); color: var(--soft); overflow-wrap: anywhere; margin-top: .15rem; }

.answer { display: grid; grid-template-columns: 3.2rem minmax(0, 1fr); gap: .2rem .6rem; padding: .55rem 0; border-top: 1px solid var(--line); font-size: .94rem; }
h4 + .answer { border-top: 0; }
.answer p { margin: 0; }
.status { --hue: var(--s2); font: 700 .86rem/1.7 var(--mono); color: var(--hue); }
.status.s3 { --hue: var(--s3); } .status.s4 { --hue: var(--s4); } .status.s5 { --hue: var(--s5); }
.codes { list-style: none; margin: 0; padding: 0; }
.codes li { margin-bottom: .35rem; }
.codes span { color: var(--soft); }
.answer .headers { font-size: .82rem; color: var(--soft); margin-top: .25rem; }

figure { margin: 0 0 1rem; border-radius: 8px; overflow: hidden; background: var(--code); border: 1px solid var(--code); }
figcaption { font: 600 .74rem/1 var(--mono); color: var(--code-soft); padding: .75rem 1rem 0; }
pre { margin: 0; padding: .7rem 1rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--code-text); background: var(--code); font-size: .78rem; line-height: 1.6; tab-size: 2; }
.schema > pre { border-radius: 8px; padding: .8rem 1rem; max-width: 27rem; margin: .6rem 0 1.4rem; }
pre i { font-style: normal; } .key { color: var(--key); } .str { color: var(--str); } .lit { color: var(--lit); }
@media (prefers-color-scheme: dark) { figure { border-color: var(--line); } }
details summary { cursor: pointer; font-size: .86rem; color: var(--link); padding: .2rem 0 .8rem; }

table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-size: .74rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
th, td { padding: .55rem 1rem .55rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:last-child { font-size: .84rem; color: var(--soft); padding-right: 0; }
.schema { max-width: 46rem; margin: 2.2rem 0 0; }
section.schema:target h3, .operation:target h3 a, tr:target code, .field:target .name { color: var(--accent); }

@media (max-width: 75rem) {
  .operation { grid-template-columns: minmax(0, 1fr); }
  .samples { position: static; max-height: none; margin-top: 1.6rem; }
}
@media (max-width: 56rem) {
  nav { display: none; position: static; width: auto; border: 0; border-bottom: 1px solid var(--line); padding: 4rem 1.1rem 1.5rem; }
  #menu:checked ~ nav { display: block; }
  label[for=menu] { display: block; position: fixed; right: .9rem; top: .9rem; z-index: 2; background: var(--bg); border: 1px solid var(--line); border-radius: 99px; padding: .3rem .9rem; font-size: .85rem; cursor: pointer; box-shadow: 0 1px 6px #0002; }
  #menu:focus-visible + label { outline: 2px solid var(--link); }
  main { margin: 0; padding: 1.8rem 1.1rem 5rem; }
  h1 { font-size: 1.9rem; padding-right: 5.5rem; }
  main > h2 { font-size: 1.45rem; margin-top: 3.2rem; }
  .answer { grid-template-columns: 2.6rem minmax(0, 1fr); }
  table, tbody, tr, td { display: block; }
  thead { display: none; }
  tr { border-bottom: 1px solid var(--line); padding: .7rem 0; }
  td { border: 0; padding: 0; }
  td:nth-child(1), td:nth-child(2) { display: inline-block; margin-right: .5rem; }
}
@media print { nav, label, .skip { display: none; } main { margin: 0; } .samples { max-height: none; position: static; } }
`;
