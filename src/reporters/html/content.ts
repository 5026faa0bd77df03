import type { EvidenceBundle } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatBytes } from '../quantities.ts';
import { count } from './marks.ts';

/** A row of the list of packages. */
export interface PagePackage {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly licence?: string;
}

/** The files that the build wrote. */
export function outputs(bundle: EvidenceBundle, id: (part: string) => string): Html | undefined {
  if (bundle.outputs.length === 0) return undefined;
  return html`<section id="${id('outputs')}">
<h2>Outputs</h2>
<table><caption>Files, with the digest that a release refers to</caption>
<thead><tr><th scope="col">format</th><th scope="col">file</th><th scope="col" class="num">size</th></tr></thead>
<tbody>${bundle.outputs.map(
    ({ format, file, digest, size }) =>
      html`<tr><th scope="row">${format}</th><td>${file}<code class="digest">${digest}</code></td><td class="num">${formatBytes(size)}</td></tr>
`,
  )}</tbody></table>
</section>
`;
}

/** What the build was made from. */
export function inputs({ inputs: from }: EvidenceBundle, id: (part: string) => string): Html | undefined {
  const rows: [string, Html][] = [
    ...(from.template
      ? ([['template', html`<code>${from.template}</code>`]] satisfies [string, Html][])
      : []),
    ...(from.lock ? ([['lock', html`<code>${from.lock}</code>`]] satisfies [string, Html][]) : []),
    ...from.suites.map(({ archive, suite, date, digest }): [string, Html] => [
      `${archive} ${suite}`,
      html`of ${date.slice(0, 10)}<code class="digest">${digest}</code>`,
    ]),
  ];
  if (rows.length === 0) return undefined;
  return html`<section id="${id('inputs')}">
<h2>Inputs</h2>
<dl class="facts">${rows.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>
</section>
`;
}

/** The bill of materials, to be searched. */
export function packages(
  { sbom }: EvidenceBundle,
  list: readonly PagePackage[] | undefined,
  id: (part: string) => string,
): Html | undefined {
  if (!sbom) return undefined;
  const types = Object.entries(sbom.packages).map(([type, n]) => `${n} ${type}`);
  const total = Object.values(sbom.packages).reduce((sum, n) => sum + n, 0);
  const files = sbom.documents.map(({ file }) => file).join(', ');
  const table = id('package-table');
  return html`<section id="${id('packages')}">
<h2>Packages<small>${count(total, 'package')}: ${types.join(', ')}</small></h2>
${
  list
    ? html`<div class="filter" role="search" data-table="${table}" hidden>
<input type="search" aria-label="Search packages" placeholder="Search name, version, licence" autocomplete="off" spellcheck="false">
<output class="soft" aria-live="polite">${list.length}</output></div>
<table class="packages" id="${table}"><caption>All packages of ${files}</caption>
<thead><tr><th scope="col">name</th><th scope="col">version</th><th scope="col">licence</th><th scope="col" class="kind">type</th></tr></thead>
<tbody>${list.map(
        ({ name, version, licence, type }) =>
          html`<tr><td>${name}</td><td><code>${version}</code></td><td>${licence}</td><td class="soft">${type}</td></tr>
`,
      )}</tbody></table>`
    : html`<p class="soft">The list is in ${files}, which was not at hand when this page was written.</p>`
}
</section>
`;
}
