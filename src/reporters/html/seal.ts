import type { EvidenceBundle } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatBytes } from '../quantities.ts';
import { mark } from './marks.ts';

/** What each operation of the seal removed or rewrote. */
export function seal({ seal: report }: EvidenceBundle, id: (part: string) => string): Html | undefined {
  if (!report) return undefined;
  const busy = report.operations.filter((o) => o.removed.length > 0);
  const idle = report.operations.filter((o) => o.removed.length === 0 && !o.skipped);
  const skipped = report.operations.filter((o) => o.skipped);
  return html`<section id="${id('seal')}">
<h2>Seal<small>${report.summary}</small></h2>
${
  busy.length > 0 &&
  html`<table><caption>What was removed or rewritten</caption>
<thead><tr><th scope="col">operation</th><th scope="col">paths</th><th scope="col" class="num">size</th></tr></thead>
<tbody>${busy.map(
    ({ name, removed }) => html`<tr><th scope="row">${name}</th><td><ul class="paths">${removed.map(
      ({ path, action, files, detail }) =>
        html`<li><code>${path}</code> <span class="soft small">${action}${files > 1 && `, ${files} files`}${
          detail !== undefined && `, ${detail}`
        }</span></li>`,
    )}</ul></td><td class="num">${sizeOf(removed)}</td></tr>
`,
  )}</tbody></table>`
}
${skipped.length > 0 && html`<p class="warn after">Left out by the image file: ${skipped.map((o) => o.name).join(', ')}.</p>`}
${idle.length > 0 && html`<p class="soft small after">Nothing to do for ${idle.map((o) => o.name).join(', ')}.</p>`}
</section>
`;
}

/** Nothing where only names changed, such as a link. */
function sizeOf(removed: readonly { readonly bytes: number }[]): string | undefined {
  const bytes = removed.reduce((sum, r) => sum + r.bytes, 0);
  return bytes === 0 ? undefined : formatBytes(bytes);
}

/** Whether two builds gave the same bytes. */
export function reproducibility(bundle: EvidenceBundle, id: (part: string) => string): Html | undefined {
  const found = bundle.reproducibility;
  if (!found) return undefined;
  return html`<section id="${id('reproducibility')}">
<h2>${mark(found.reproducible ? 'good' : 'bad')}Reproducible</h2>
${
  found.reproducible
    ? html`<p>Built twice, the second time without the layer cache: every output has the same bytes.</p>`
    : html`<p>These differ between two builds: ${found.formats.join(', ')}.</p>`
}
${
  found.files.length > 0 &&
  html`<table><caption>Files that differ, in the first step that made them so</caption>
<thead><tr><th scope="col">path</th><th scope="col">step</th><th scope="col">differs in</th></tr></thead>
<tbody>${found.files.map(
    ({ path, step, what }) =>
      html`<tr><td><code>${path}</code></td><td><code>${step}</code></td><td>${what}</td></tr>
`,
  )}</tbody></table>`
}
</section>
`;
}
