import type { Change, ImageDiff } from './compare.ts';
import { kindOf, summary } from './render.ts';

const STYLE = `:root{color-scheme:light dark;--line:light-dark(#d8dce2,#3a4048);--soft:light-dark(#5a6472,#9aa4b2);
--added:light-dark(#12753a,#5fd38d);--removed:light-dark(#b3261e,#ff8a80);--changed:light-dark(#7a5200,#ffc66b)}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:70rem;padding:1.5rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin:2rem 0 .5rem}h2 small{color:var(--soft);font-weight:normal}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top}
td{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.added{color:var(--added)}.removed{color:var(--removed)}.changed{color:var(--changed)}
@media print{body{max-width:none}}`;

/** A comparison as one HTML page that needs nothing else: no script, no address, light and dark. */
export function diffPage(diff: ImageDiff): string {
  const title = `${diff.before} → ${diff.after}`;
  const sections = diff.sections
    .filter(({ changes }) => changes.length > 0)
    .map(
      ({ title: name, changes }) => `<h2>${escape(name)} <small>${escape(summary(changes))}</small></h2>
<div class="scroll"><table><thead><tr><th>what</th><th>name</th><th>before</th><th>after</th></tr></thead><tbody>
${changes.map(row).join('\n')}
</tbody></table></div>`,
    );
  const notes =
    diff.notes.length === 0
      ? ''
      : `<h2>not read in full</h2>\n<ul>${diff.notes.map((n) => `<li>${escape(n)}</li>`).join('')}</ul>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escape(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${diff.same ? '<p>Nothing differs.</p>' : ''}
${sections.join('\n')}
${notes}
</body>
</html>
`;
}

function row(change: Change): string {
  const kind = kindOf(change);
  const word = change.direction === 'older' ? 'older' : kind;
  const cells = [change.name, change.before ?? '', change.after ?? ''].map((c) => `<td>${escape(c)}</td>`);
  return `<tr><td class="${kind}">${word}</td>${cells.join('')}</tr>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
