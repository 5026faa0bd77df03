// Bundles src/ into dist/ with esbuild: main.js, which is small, and the program that it loads.
//   node scripts/build.mjs
import { createHash } from 'node:crypto';
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

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // What ssh2 can do faster by code of the processor's own; it does without.
  external: ['cpu-features', '*.node'],
  legalComments: 'none',
  write: false,
  logLevel: 'warning',
};
const main = await text({ ...common, entryPoints: ['src/cli/main.ts'], format: 'esm' });

// One script, a function as Node wraps CommonJS modules, so that what V8 compiles of it can be kept (load-program.ts).
const bundle = await text({
  ...common,
  entryPoints: ['src/cli/run.ts'],
  format: 'cjs',
  supported: { 'dynamic-import': false },
  // A third less to read at each start; names stay, for stack traces.
  minifyWhitespace: true,
  define: { 'import.meta.url': '__url' },
  banner: {
    js: "(function (exports, require, module, __filename, __dirname) { const __url = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
});
// ASCII is read faster. What esbuild leaves stands in comments and patterns, where an escape means the same.
const program = bundle.replace(
  /[^\0-\x7f]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
const digest = createHash('sha256').update(program).digest('hex');

/** The one file that a build makes. */
async function text(options) {
  const { outputFiles } = await build(options).catch(() => process.exit(1));
  return outputFiles[0].text;
}

const agent = { path: join(dist, 'agent.cjs'), contents: await buildAgent().catch(() => process.exit(1)) };

// Each file is put in its place by rename, main.js last: whoever starts while we write gets a whole program, old or new.
// They are dated back to our start, so that a source file saved while we ran is seen as newer.
mkdirSync(dist, { recursive: true });
// Plugins for Ansible are read as they are, from beside the bundle.
const copied = readdirSync(join(root, 'src'), { recursive: true })
  .filter((path) => path.endsWith('.py'))
  .map((path) => ({ path: join(dist, basename(path)), contents: readFileSync(join(root, 'src', path)) }));
const files = [
  ...copied,
  agent,
  { path: join(dist, 'program.cjs'), contents: `// ${digest}\n${program}` },
  { path: join(dist, 'main.js'), contents: main },
];
for (const { path, contents } of files) {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, contents);
  utimesSync(temporary, started, started);
  renameSync(temporary, path);
}

// What an older build left goes; what another build is just writing stays.
const current = new Set(files.map(({ path }) => basename(path)));
const hourAgo = Date.now() - 3600 * 1000;
for (const name of readdirSync(dist).filter((name) => !current.has(name))) {
  const path = join(dist, name);
  if (name.endsWith('.tmp') && statSync(path, { throwIfNoEntry: false })?.mtimeMs > hourAgo) continue;
  rmSync(path, { force: true, recursive: true });
}
