import type { BootStage } from '../../core/boot-stages.ts';
import { html, htmlPage } from '../../core/html.ts';
import { formatSeconds } from '../quantities.ts';
import { bootStages } from './boot-stages.ts';
import { BOOT_STYLE, STYLE } from './style.ts';

/** A page of one start of an image, from power-on until it said how it stands. */
export function bootPage(
  image: string,
  { ready, seconds, stages }: { ready: boolean; seconds: number; stages: readonly BootStage[] },
): string {
  const outcome = `${ready ? 'ready in' : 'not ready after'} ${formatSeconds(seconds)}`;
  const body = html`<main><h1>${image} <span>${outcome}</span></h1>
<section><h2>From power-on</h2>
${bootStages([{ name: 'until it was ready', stages }]) ?? html`<p>It told no stages.</p>`}
</section></main>`;
  return htmlPage({ title: `${image}: ${outcome}`, body, style: STYLE + BOOT_STYLE });
}
