import { type Html, html, htmlPage } from '../../core/html.ts';
import type { Change, ImageDiff } from './compare.ts';
import { kindOf, summary } from './render.ts';

const STYLE = `h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}
h2 small,caption{color:var(--soft);font-weight:normal}
td{font:13px/1.5 ui-monospace,monospace}td:first-child{white-space:nowrap}
.added{color:var(--good)}.removed{color:var(--bad)}.changed{color:var(--warn)}`;

/** A comparison as one HTML page that needs nothing else: no script, no address, light and dark. */
export function diffPage(diff: ImageDiff): string {
  const title = `${diff.before} → ${diff.after}`;
  const sections = diff.sections
    .filter(({ changes }) => changes.length > 0)
    .map(
      ({ title: name, changes }) => html`<h2>${name} <small>${summary(changes)}</small></h2>
<table><thead><tr><th scope="col">what</th><th scope="col">name</th><th scope="col">before</th><th scope="col">after</th></tr></thead>
<tbody>
${changes.map(row)}</tbody></table>
`,
    );
  const notes =
    diff.notes.length > 0 &&
    html`<h2>not read in full</h2>
<ul>${diff.notes.map((note) => html`<li>${note}</li>`)}</ul>`;
  const body = html`<main>
<h1>${title}</h1>
${diff.same && html`<p>Nothing differs.</p>`}
${sections}${notes}
</main>`;
  return htmlPage({ title, body, style: STYLE });
}

function row(change: Change): Html {
  const kind = kindOf(change);
  const word = change.direction === 'older' ? 'older' : kind;
  const cells = [change.name, change.before, change.after].map((cell) => html`<td>${cell}</td>`);
  return html`<tr><td class="${kind}">${word}</td>${cells}</tr>
`;
}
