// What of src/ a benchmark calls, as one file for a process of its own.
import { build } from 'esbuild';

/** Bundles a program whose imports start from the project's root. */
export async function bundle(ctx, contents, outfile) {
  await build({
    stdin: { contents, resolveDir: ctx.root, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  });
}
