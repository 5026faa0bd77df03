// Bundles the boot agent, which goes into images: one file for the Node 18 of Debian 12, with nothing of npm at run time.
// By itself: node scripts/build-agent.mjs OUTPUT
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The agent's text. */
export async function buildAgent() {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
    entryPoints: ['src/cli/agent.ts'],
    bundle: true,
    // Emulated, or on a small machine, most of a start goes into loading code: CommonJS loads modules when they are asked for.
    format: 'cjs',
    supported: { 'dynamic-import': false },
    platform: 'node',
    target: 'node18',
    minifyWhitespace: true,
    minifySyntax: true,
    banner: { js: '#!/usr/bin/node' },
    legalComments: 'none',
    write: false,
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(process.argv[2], await buildAgent());
