import type { EvidenceVulnerabilities } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatMinute } from '../quantities.ts';

type Found = EvidenceVulnerabilities['found'][number];

const ORDER = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'];

/** What is known of the packages: what fails the image, what is excused and why, and what the test lets through. */
export function vulnerabilities(report: EvidenceVulnerabilities): Html {
  const by = (verdict: Found['verdict']): Found[] => report.found.filter((f) => f.verdict === verdict);
  const [fails, passes] = [by('fails'), by('passes')];
  const excused = [...by('ignored'), ...by('not-affected')];
  const severities = Object.entries(report.severities).sort(([a], [b]) => rank(a) - rank(b));
  return html`<p class="severities">${
    severities.length === 0
      ? 'No known vulnerability counts.'
      : severities.map(([name, n]) => html`<span class="${chip(name)}"><b>${n}</b> ${name}</span>`)
  }</p>
${
  report.databases.length > 0 &&
  html`<p class="soft small">By ${report.databases.map(
    ({ location, date }, i) => html`${i > 0 && ', '}<code>${location}</code> of ${formatMinute(date)}`,
  )}.</p>`
}
${fails.length > 0 && table(fails, 'These fail the image')}
${excused.length > 0 && table(excused, 'These do not count, for the reason given')}
${
  passes.length > 0 &&
  html`<details><summary>${passes.length} that the test lets through</summary>
${byPackage(passes)}</details>`
}`;
}

function rank(severity: string): number {
  const at = ORDER.indexOf(severity);
  return at === -1 ? ORDER.length : at;
}

function table(found: readonly Found[], caption: string): Html {
  const sorted = [...found].sort((a, b) => rank(a.severity) - rank(b.severity));
  return html`<table><caption>${caption}</caption>
<thead><tr><th scope="col">vulnerability</th><th scope="col">package</th></tr></thead>
<tbody>${sorted.map(
    (
      f,
    ) => html`<tr><th scope="row"><code>${f.id}</code> <span class="chip ${chip(f.severity)}">${f.severity}</span></th>
<td>${f.package} <code>${f.installed}</code>${f.fixed !== undefined && html` → <code>${f.fixed}</code>`}${
      f.why !== '' && html`<p class="soft small">${f.why}</p>`
    }</td></tr>
`,
  )}</tbody></table>`;
}

function chip(severity: string): string {
  return severity === 'critical' || severity === 'high' ? 'bad' : severity === 'medium' ? 'warn' : 'soft';
}

/** One row a package: hundreds that nobody has fixed are no list to read. */
function byPackage(found: readonly Found[]): Html {
  const packages = new Map<string, Found[]>();
  for (const f of found) {
    const key = `${f.package} ${f.installed}`;
    packages.set(key, [...(packages.get(key) ?? []), f]);
  }
  return html`<table><caption>By package</caption>
<thead><tr><th scope="col">package</th><th scope="col">vulnerabilities</th></tr></thead>
<tbody>${[...packages.values()].map(
    (
      list,
    ) => html`<tr><th scope="row">${list[0]?.package} <code>${list[0]?.installed}</code></th><td class="small">${list.map(
      (f) =>
        html`<code>${f.id}</code> <span class="chip ${chip(f.severity)}">${f.severity}${f.state === 'fixable' && ', fixable'}</span>&ensp;`,
    )}</td></tr>
`,
  )}</tbody></table>`;
}
