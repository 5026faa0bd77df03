import type { EvidenceBundle, EvidenceTest } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatBytes, formatSeconds } from '../quantities.ts';
import { bootStages } from './boot-stages.ts';
import { count, mark, markOf, testName } from './marks.ts';
import { vulnerabilities } from './vulnerabilities.ts';

/** A test with more checks than this shows those that passed when they are asked for. */
const SHORT = 12;

/** Every test with its checks and what it found; of both, what failed comes first. */
export function tests(bundle: EvidenceBundle, id: (part: string) => string): Html | undefined {
  if (bundle.tests.length === 0) return undefined;
  return html`<section id="${id('tests')}">
<h2>Tests</h2>
${[...bundle.tests.entries()]
  .sort(([, a], [, b]) => Number(b.result === 'failed') - Number(a.result === 'failed'))
  .map(([i, test]) => one(test, bundle, id(`test-${i}`)))}</section>
`;
}

function one(test: EvidenceTest, bundle: EvidenceBundle, id: string): Html {
  const found = bundle.vulnerabilities.filter((v) => v.step === test.step);
  // Each of these has a row of its own in the table of what was found.
  const told = new Set(found.flatMap((v) => v.found.map((f) => `${f.id} in ${f.package}`)));
  const checks = test.checks.filter((c) => !told.has(c.name));
  const failed = checks.filter((c) => !c.passed);
  const passed = checks.filter((c) => c.passed);
  const folded = passed.length > SHORT;
  const shown = folded ? failed : [...failed, ...passed];
  return html`<section id="${id}" class="test">
<h3>${mark(markOf(test.result))}<span>${testName(test.type)}</span><small>${about(test, bundle)}</small></h3>
${shown.length > 0 && checkTable(shown, `Checks of ${test.step}`)}
${
  folded &&
  html`<details><summary>${count(passed.length, 'check')} passed</summary>
${checkTable(passed, `Checks of ${test.step} that passed`)}</details>`
}
${bootStages(test.checks.flatMap(({ name, stages }) => (stages ? [{ name, stages }] : [])))}
${test.skipped && notMade(test.skipped, test.step)}${found.map(vulnerabilities)}
</section>
`;
}

/** What stands beside a test's name. */
function about(test: EvidenceTest, { run, residue, secrets }: EvidenceBundle): string {
  const end = run.steps.find((s) => s.label === test.step);
  const searched = residue.find((r) => r.step === test.step)?.searched;
  const files = secrets.find((s) => s.step === test.step)?.files;
  return [
    test.step,
    ...(test.result === 'skipped' ? ['did not run'] : [count(test.checks.length, 'check')]),
    ...(test.skipped ? [`${test.skipped.length} not made`] : []),
    ...(searched === undefined ? [] : [`${formatBytes(searched)} searched`]),
    ...(files === undefined ? [] : [`${count(files, 'file')} searched`]),
    ...(end?.status === 'cached' ? ['from the cache'] : []),
    ...(end && end.seconds > 0 ? [formatSeconds(end.seconds)] : []),
  ].join(' · ');
}

/** Checks that were left out: not to be taken for any that passed. */
function notMade(skipped: NonNullable<EvidenceTest['skipped']>, step: string): Html {
  return html`<details><summary>${count(skipped.length, 'check')} not made</summary>
<table class="checks"><caption class="unseen">Checks of ${step} that were not made</caption>
<thead class="unseen"><tr><th scope="col">result</th><th scope="col">check</th></tr></thead>
<tbody>${skipped.map(
    ({ name, reason }) =>
      html`<tr><td>${mark('none')}<span class="unseen">not made</span></td><td>${name}<p>${reason}</p></td></tr>
`,
  )}</tbody></table></details>
`;
}

function checkTable(checks: EvidenceTest['checks'], caption: string): Html {
  const timed = checks.some((c) => c.seconds !== undefined);
  return html`<table class="checks"><caption class="unseen">${caption}</caption>
<thead class="unseen"><tr><th scope="col">result</th><th scope="col">check</th>${timed && html`<th scope="col">took</th>`}</tr></thead>
<tbody>${checks.map(
    ({ name, passed, message, seconds }) =>
      html`<tr${!passed && html` class="bad"`}><td>${mark(passed ? 'good' : 'bad')}<span class="unseen">${
        passed ? 'passed' : 'failed'
      }</span></td><td>${name}${message !== undefined && html`<p>${message}</p>`}</td>${
        timed && html`<td class="num">${seconds !== undefined && formatSeconds(seconds)}</td>`
      }</tr>
`,
  )}</tbody></table>`;
}
