import type { EvidenceBundle, VerdictStatus } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatMinute, formatSeconds } from '../quantities.ts';
import { count, type Mark, mark, markOf, testName } from './marks.ts';

/** Reasons that are told at the top; the rest stands with the proofs. */
const MOST_REASONS = 8;

const WORDS: Readonly<Record<VerdictStatus, string>> = {
  released: 'Released',
  built: 'Built, not released',
  refused: 'Refused',
  failed: 'Failed',
};

/** Name, verdict and why, the facts that tell which build this is, and every proof at a glance. */
export function verdict(bundle: EvidenceBundle, id: (part: string) => string): Html {
  const { image, run, verdict: said } = bundle;
  const proofs = proofsOf(bundle);
  const yes = proofs.filter((p) => p.mark === 'good').length;
  const sentence = {
    released: `${yes} of ${count(proofs.length, 'proof')} passed.`,
    built: `${yes} of ${count(proofs.length, 'proof')} passed. No release was asked for.`,
    refused: 'A test said no. Nothing was released.',
    failed: 'The build ended with an error. Nothing was released.',
  }[said.status];
  const differs = bundle.reproducibility?.reproducible === false;
  const shown = said.reasons.slice(0, MOST_REASONS);
  const more = said.reasons.length - shown.length;
  return html`<header>
<p class="kicker"><b>Ingot</b> evidence · ${formatMinute(run.started)}</p>
<h1>${image.name} <span>${image.version}</span></h1>
<div class="verdict ${colorOf(bundle)}">
<strong>${WORDS[said.status]}${differs && ', not reproducible'}</strong>
<p>${sentence}${differs && ' Two builds of the same inputs gave different bytes.'}</p>
${
  shown.length > 0 &&
  html`<ul>${shown.map(({ step, text }) => html`<li>${step !== '' && html`<code>${step}</code> `}${text}</li>`)}
${more > 0 && html`<li>and ${more} more below</li>`}</ul>`
}
</div>
<dl class="facts">${factsOf(bundle).map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>`)}</dl>
${
  proofs.length > 0 &&
  html`<h2 class="part">Proofs</h2>
<ul class="proofs">${proofs.map(
    (p) =>
      html`<li><a href="#${id(p.part)}">${mark(p.mark)}<b>${p.name}</b><span>${p.figure}</span></a></li>`,
  )}</ul>`
}
</header>`;
}

function colorOf({ verdict: { status, reasons }, reproducibility }: EvidenceBundle): Mark {
  if (status === 'refused' || status === 'failed' || reproducibility?.reproducible === false) return 'bad';
  return status === 'built' || reasons.length > 0 ? 'warn' : 'good';
}

function factsOf({ image, inputs, run, release }: EvidenceBundle): [string, Html][] {
  const digest = (text: string): Html => html`<code>${text}</code>`;
  const cached = run.steps.filter((s) => s.status === 'cached').length;
  const took = `${formatSeconds(run.seconds)}, ${count(run.steps.length, 'step')}, ${cached} from the cache`;
  return [
    ...(release
      ? ([
          ['release', digest(release.digest)],
          ['store', digest(release.store)],
        ] satisfies [string, Html][])
      : []),
    ...(image.revision === undefined
      ? []
      : ([
          [
            'revision',
            html`<code>${image.revision}</code>${image.dirty && html` <span class="warn">with changes that were not committed</span>`}`,
          ],
        ] satisfies [string, Html][])),
    ['source', digest(image.build)],
    ...(inputs.base
      ? ([['base', html`${inputs.base.name} <code>${inputs.base.digest}</code>`]] satisfies [string, Html][])
      : []),
    ['took', html`${took}`],
  ];
}

interface Proof {
  readonly part: string;
  readonly name: string;
  readonly mark: Mark;
  readonly figure: string;
}

/** All that says yes or no about the image, and the part of the page that tells more. */
function proofsOf({ seal, tests, reproducibility }: EvidenceBundle): Proof[] {
  return [
    ...(seal ? [{ part: 'seal', name: 'Seal', mark: 'good' as const, figure: seal.summary }] : []),
    ...tests.map((test, i): Proof => {
      const failed = test.checks.filter((c) => !c.passed).length;
      const total = count(test.checks.length, 'check');
      const left = test.skipped ? `, ${test.skipped.length} not made` : '';
      const made = failed > 0 ? `${failed} of ${total} failed` : total;
      const figure = test.result === 'skipped' ? 'did not run' : `${made}${left}`;
      return { part: `test-${i}`, name: testName(test.type), mark: markOf(test.result), figure };
    }),
    ...(reproducibility
      ? [
          {
            part: 'reproducibility',
            name: 'Reproducible',
            mark: reproducibility.reproducible ? ('good' as const) : ('bad' as const),
            figure: reproducibility.reproducible
              ? 'built twice, byte for byte the same'
              : `${reproducibility.formats.join(', ')} differ`,
          },
        ]
      : []),
  ];
}
