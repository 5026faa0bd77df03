import type { EvidenceBundle, EvidenceStep } from '../../core/evidence.ts';
import { type Html, html } from '../../core/html.ts';
import { formatSeconds } from '../quantities.ts';

/** Units of a bar's width. */
const WIDTH = 1000;

/** When each step ran and for how long, drawn to scale. */
export function timing({ steps, run }: EvidenceBundle, id: (part: string) => string): Html {
  const total = Math.max(run.seconds, ...run.steps.map((s) => s.start + s.seconds), 0.001);
  const ended = new Map(run.steps.map((s) => [s.label, s]));
  const key = (name: string, text: string): Html =>
    html`<span><svg viewBox="0 0 8 6" aria-hidden="true"><rect class="bar ${name}" width="8" height="6"/></svg>${text}</span>`;
  return html`<section id="${id('time')}">
<h2>Steps<small>${formatSeconds(run.seconds)} from left to right</small></h2>
<p class="key">${key('', 'building')}${key('proof', 'proving')}${key('out', 'writing')}</p>
<ol class="time">${steps.map((step) => {
    const end = ended.get(step.label);
    return html`<li><span class="what">${step.title}${
      step.volatile !== undefined && html` <span class="chip warn">not reproducible: ${step.volatile}</span>`
    }</span>
<svg viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">${
      end &&
      end.seconds > 0 &&
      html`<rect class="bar ${end.status === 'failed' ? 'failed' : roleOf(step)}" x="${at(end.start, total)}" width="${Math.max(3, at(end.seconds, total))}" height="10"/>`
    }</svg>
<span class="num${end?.status !== 'done' && ' soft'}">${
      !end ? 'not reached' : end.status === 'done' ? formatSeconds(end.seconds) : end.status
    }</span></li>
`;
  })}</ol>
</section>
`;
}

function at(seconds: number, total: number): number {
  return Math.round((seconds / total) * WIDTH);
}

function roleOf({ kind }: EvidenceStep): '' | 'proof' | 'out' {
  if (kind === 'test' || kind === 'seal') return 'proof';
  return ['disk', 'output', 'release', 'post-processor'].includes(kind) ? 'out' : '';
}
