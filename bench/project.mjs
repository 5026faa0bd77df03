// A copy of examples/web with caches of its own, for benchmarks that build.
import { appendFileSync, cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Copies the example into ctx.tmp and answers how to work with it. */
export function exampleProject(ctx) {
  const dir = join(ctx.tmp, 'project');
  const cache = join(ctx.tmp, 'cache');
  cpSync(join(ctx.root, 'examples/web'), dir, {
    recursive: true,
    filter: (path) => !/(output-web|ingot\.lock\.json|manifest\.json)$/.test(path),
  });
  const env = {
    ...process.env,
    INGOT_CACHE_DIR: cache,
    INGOT_DATA_DIR: join(ctx.tmp, 'data'),
    NO_COLOR: '1',
  };
  return {
    dir,
    cache,
    /** The image has these outputs, no test and no release. */
    outputs(...blocks) {
      writeFileSync(
        join(dir, 'web.ingot.hcl'),
        `image "web" {\n  version = "1.0.0"\n${blocks.map((b) => `  ${b}\n`).join('')}}\n`,
      );
    },
    build: (...args) =>
      ctx.run(process.execPath, [`${ctx.root}bin/ingot`, 'build', '--json', ...args, dir], { env }),
    edit() {
      appendFileSync(join(dir, 'harden.sh'), `# ${Math.random()}\n`);
    },
    /** Everything made from packages goes; the packages stay. */
    forgetLayers() {
      for (const part of ['layers', 'initramfs', 'tmp'])
        rmSync(join(cache, part), { recursive: true, force: true });
      rmSync(join(dir, 'output-web'), { recursive: true, force: true });
    },
    /** The finished disk stays; what was written from it goes. */
    forgetOutputs() {
      for (const layer of readdirSync(join(cache, 'layers'))) {
        const files = join(cache, 'layers', layer, 'files');
        if (readdirSync(files).some((name) => name.startsWith('web-1.0.0.'))) {
          rmSync(join(cache, 'layers', layer), { recursive: true });
        }
      }
      rmSync(join(dir, 'output-web'), { recursive: true, force: true });
    },
  };
}
