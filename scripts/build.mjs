// Bundles src/ into dist/ with esbuild: one small entry, and a chunk for each verb that is loaded when asked for.
//   node scripts/build.mjs           builds, and removes what an older build left
//   node scripts/build.mjs --keep    leaves older chunks for a day, since a running ingot may still load them
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildAgent } from './build-agent.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const started = new Date();
const keep = process.argv.includes('--keep');

const workers = readdirSync(join(root, 'src'), { recursive: true })
  .map((path) => join('src', path))
  .filter((path) => path.endsWith('.worker.ts'))
  .sort();

const result = await build({
  absWorkingDir: root,
  entryPoints: Object.fromEntries(
    ['src/cli/main.ts', ...workers].map((path) => [basename(path, '.ts'), path]),
  ),
  outdir: dist,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  chunkNames: 'chunk-[name]-[hash]',
  // Bundled CommonJS packages ask for `require` of built-in modules, and where they lie.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
  },
  // What ssh2 can do faster by code of the processor's own; it does without.
  external: ['cpu-features', '*.node'],
  legalComments: 'none',
  write: false,
  logLevel: 'warning',
}).catch(() => process.exit(1));

const agent = { path: join(dist, 'agent.mjs'), contents: await buildAgent().catch(() => process.exit(1)) };

// Entries come last and by rename: whoever starts while we write gets a whole old or a whole new program. They
// are dated back to our start, so that a source file saved while we ran is seen as newer.
mkdirSync(dist, { recursive: true });
// Plugins for Ansible are read as they are, from beside the bundle.
const copied = readdirSync(join(root, 'src'), { recursive: true })
  .filter((path) => path.endsWith('.py'))
  .map((path) => ({ path: join(dist, basename(path)), contents: readFileSync(join(root, 'src', path)) }));
const files = [...copied, agent, ...result.outputFiles].toSorted((a, b) => isEntry(a.path) - isEntry(b.path));
for (const { path, contents } of files) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  utimesSync(temporary, started, started);
  renameSync(temporary, path);
}

const current = new Set(files.map(({ path }) => basename(path)));
const dayAgo = Date.now() - 24 * 3600 * 1000;
for (const name of readdirSync(dist).filter((name) => !current.has(name))) {
  const path = join(dist, name);
  if (!keep || statSync(path, { throwIfNoEntry: false })?.mtimeMs < dayAgo)
    rmSync(path, { force: true, recursive: true });
}

/** 1 for the files that are started by name, 0 for chunks. */
function isEntry(path) {
  return basename(path).startsWith('chunk-') ? 0 : 1;
}
