import type { BootStage } from '../../core/boot-stages.ts';
import { html, htmlPage } from '../../core/html.ts';
import { formatSeconds } from '../quantities.ts';
import { bootStages } from './boot-stages.ts';
import { BOOT_STYLE, STYLE } from './style.ts';

/** A start of a machine, and how it stood at the end. */
export interface ToldBoot {
  readonly name: string;
  readonly ready: boolean;
  /** Since power-on. */
  readonly seconds: number;
  readonly stages: readonly BootStage[];
}

/** A page of starts of an image, each from power-on until it said how it stands. */
export function bootPage(image: string, boots: readonly ToldBoot[]): string {
  const told = boots.map(({ name, ready, seconds, stages }) => ({
    name: `${name}: ${ready ? 'ready in' : 'not ready after'} ${formatSeconds(seconds)}`,
    stages,
  }));
  const body = html`<main><h1>${image}</h1>
<section><h2>From power-on to ready</h2>
${bootStages(told.filter(({ stages }) => stages.length > 0))}
${told.filter(({ stages }) => stages.length === 0).map(({ name }) => html`<p>${name}. It told no stages.</p>`)}
</section></main>`;
  return htmlPage({ title: `${image}: from power-on to ready`, body, style: STYLE + BOOT_STYLE });
}
