import type { Instruction, Stage } from './parse.ts';
import { badDockerfile } from './parse.ts';

/** An image that a Dockerfile takes from a registry. */
export interface UsedImage {
  /** As written, variables filled. */
  readonly reference: string;
  /** From 0. */
  readonly line: number;
}

/** The stages that are built for `target` (the last, without one): engines without BuildKit build all above it, too. */
export function stagesUpTo(stages: readonly Stage[], target: string | undefined): readonly Stage[] {
  if (target === undefined) return stages;
  const found = stages.findIndex(({ name }, i) => name === target.toLowerCase() || String(i) === target);
  if (found < 0) throw badDockerfile(0, `it has no stage "${target}"`);
  return stages.slice(0, found + 1);
}

/** Every image of these stages, in the order of the file: of FROM, COPY --from and RUN --mount=from. */
export function usedImages(stages: readonly Stage[]): UsedImage[] {
  const images: UsedImage[] = [];
  for (const [i, { from, instruction, body }] of stages.entries()) {
    if (isImage(from, stages.slice(0, i), false)) images.push({ reference: from, line: instruction.line });
    for (const one of body)
      for (const reference of originsOf(one))
        if (isImage(reference, stages.slice(0, i), true)) images.push({ reference, line: one.line });
  }
  return images;
}

/** The image that the last of these stages stands on, through stages; undefined for `scratch`. */
export function baseImage(stages: readonly Stage[]): string | undefined {
  const last = stages.at(-1);
  if (!last || last.from === 'scratch') return undefined;
  const below = stages.findLastIndex(
    ({ name }, i) => i < stages.length - 1 && name === last.from.toLowerCase(),
  );
  return below < 0 ? last.from : baseImage(stages.slice(0, below + 1));
}

/** The text with every image replaced by what `pinned` has for it; lines stay where they are. */
export function withImages(
  text: string,
  stages: readonly Stage[],
  pinned: ReadonlyMap<string, string>,
): string {
  const lines = text.split(/\r?\n/);
  for (const [i, { from, instruction, name, body }] of stages.entries()) {
    const image = isImage(from, stages.slice(0, i), false) ? pinned.get(from) : undefined;
    if (image !== undefined) {
      const flags = Object.entries(instruction.flags).map(([key, value]) => `--${key}=${value} `);
      lines.fill('', instruction.line, instruction.end);
      lines[instruction.line] = `FROM ${flags.join('')}${image}${name === undefined ? '' : ` AS ${name}`}`;
    }
    for (const { line, end, ...one } of body)
      for (const reference of originsOf({ line, end, ...one })) {
        const to = isImage(reference, stages.slice(0, i), true) ? pinned.get(reference) : undefined;
        if (to === undefined) continue;
        for (let at = line; at < end; at++)
          lines[at] = lines[at]?.replaceAll(`from=${reference}`, `from=${to}`) ?? '';
      }
  }
  return lines.join('\n');
}

function originsOf({ name, flags }: Instruction): string[] {
  if ((name === 'COPY' || name === 'ADD') && flags.from !== undefined) return [flags.from];
  if (name !== 'RUN') return [];
  return (flags.mount ?? '').split('\n').flatMap((mount) => /(?:^|,)from=([^,]+)/.exec(mount)?.[1] ?? []);
}

/** Whether a name is none of the stages above, and not nothing at all. `byNumber`: stages have numbers there, too. */
function isImage(name: string, above: readonly Stage[], byNumber: boolean): boolean {
  if (name === 'scratch') return false;
  if (byNumber && /^\d+$/.test(name)) return false;
  return !above.some((stage) => stage.name === name.toLowerCase());
}
