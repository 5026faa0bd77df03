// The page of `ingot boot --report`, for machines that it does not start itself.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../bench/bundle.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Draws starts, `{ hostname, seconds, own, stages }` as `untilReady` answers them, by a program in the folder `work`. */
export async function writeBootPage(path, image, starts, work) {
  const program = join(work, 'boot-page.mjs');
  const contents = `export { readStages } from './src/core/boot-stages.ts';
    export { bootPage } from './src/reporters/html/boot-page.ts';`;
  await bundle({ root }, contents, program);
  const { bootPage, readStages } = await import(program);
  const boots = starts.map(({ hostname, seconds, own, stages }) => ({
    name: hostname,
    ready: true,
    seconds,
    stages: [{ name: 'firmware', seconds: seconds - own }, ...readStages(stages)],
  }));
  writeFileSync(path, bootPage(image, boots));
}
