import type { EvidenceBundle } from '../../core/evidence.ts';
import { type Html, html, htmlPage } from '../../core/html.ts';
import { inputs, outputs, packages, type PagePackage } from './content.ts';
import { reproducibility, seal } from './seal.ts';
import { BOOT_STYLE, SCRIPT, STYLE } from './style.ts';
import { tests } from './tests.ts';
import { timing } from './timing.ts';
import { verdict } from './verdict.ts';

/** An image on the page: its evidence, and its packages where they are known. */
export interface PageReport {
  readonly bundle: EvidenceBundle;
  readonly packages?: readonly PagePackage[];
}

/** The evidence of one build or several as one HTML page that needs nothing else. */
export function evidencePage(reports: readonly PageReport[]): string {
  const names = reports.map(({ bundle }) => `${bundle.image.name} ${bundle.image.version}`);
  const title = names.length === 0 ? 'Ingot evidence' : `${names.join(', ')}: Ingot evidence`;
  const tools = [...new Set(reports.map(({ bundle }) => bundle.run.tool))];
  const body = html`<main>
${reports.map((report, i) => article(report, (part) => (reports.length === 1 ? part : `image-${i}-${part}`)))}
${reports.length === 0 && html`<h1>Nothing was built</h1><p>The build ended before its first step.</p>`}
<footer><p>${tools.join(', ')}${tools.length > 0 && ' · '}This page is drawn from evidence in JSON (schema/evidence.schema.json), and asks no address.</p></footer>
</main>`;
  return htmlPage({ title, body, style: STYLE + BOOT_STYLE, script: SCRIPT });
}

function article({ bundle, packages: list }: PageReport, id: (part: string) => string): Html {
  return html`<article>
${verdict(bundle, id)}
${tests(bundle, id)}
${seal(bundle, id)}
${reproducibility(bundle, id)}
${outputs(bundle, id)}
${timing(bundle, id)}
${inputs(bundle, id)}
${packages(bundle, list, id)}
</article>
`;
}
