import type { BootStage } from '../../core/boot-stages.ts';
import { type Html, html } from '../../core/html.ts';
import { formatSeconds } from '../quantities.ts';

/** A start of a machine, and what its seconds went into. */
export interface StagedBoot {
  readonly name: string;
  readonly stages: readonly BootStage[];
}

/** Units of the longest bar's width. */
const WIDTH = 1000;
/** Between two stages. */
const GAP = 2;

/** Each start as a bar, all to one scale; below it its stages in words, which are the key and what is read aloud. */
export function bootStages(boots: readonly StagedBoot[]): Html | undefined {
  const longest = Math.max(...boots.map(({ stages }) => total(stages)));
  if (boots.length === 0 || longest <= 0) return undefined;
  return html`<ul class="boots">${boots.map(
    ({
      name,
      stages,
    }) => html`<li><span>${name}</span><span class="num">${formatSeconds(total(stages))}</span>
<svg viewBox="0 0 ${WIDTH} 14" preserveAspectRatio="none" aria-hidden="true">${bars(stages, longest)}</svg>
<ul>${stages.map(
      (stage) =>
        html`<li><svg viewBox="0 0 8 8" aria-hidden="true"><rect class="stage ${kindOf(stage)}" width="8" height="8"/></svg>${stage.name} <b>${formatSeconds(stage.seconds)}</b></li>`,
    )}</ul></li>
`,
  )}</ul>`;
}

function bars(stages: readonly BootStage[], longest: number): Html[] {
  let x = 0;
  return stages.map((stage) => {
    const width = (stage.seconds / longest) * WIDTH;
    const bar = html`<rect class="stage ${kindOf(stage)}" x="${round(x)}" width="${round(Math.max(1, width - GAP))}" height="14"/>`;
    x += width;
    return bar;
  });
}

function total(stages: readonly BootStage[]): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0);
}

function round(units: number): number {
  return Math.round(units * 10) / 10;
}

/** The color: what the machine does, what the system does, what Ingot does, and what the image's own commands do. */
function kindOf({ name }: BootStage): string {
  const known = ['firmware', 'kernel', 'initrd', 'system', 'cloud-init', 'services'];
  if (known.includes(name)) return name;
  return name.startsWith('command ') ? 'command' : 'ingot';
}
