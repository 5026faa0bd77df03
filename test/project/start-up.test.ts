import { build, type Metafile, stop } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';

/** What runs before `ingot validate` says its answer, but for legacy templates and what functions and data load themselves. */
const VALIDATE = [
  'src/cli/main.ts',
  'src/cli/run.ts',
  'src/cli/verbs/validate.ts',
  'src/app/validate.ts',
  'src/reporters/plain.ts',
];

/** Most bytes of a room, types taken away, that may be loaded for it: contracts and specs, not the work. */
const MOST: Readonly<Record<string, number>> = {
  app: 25_000,
  checks: 6000,
  cli: 30_000,
  core: 50_000,
  'data-sources': 6000,
  disk: 14_000,
  firstboot: 14_000,
  host: 24_000,
  machines: 16_000,
  plan: 70_000,
  policy: 16_000,
  'post-processors': 30_000,
  provisioners: 45_000,
  release: 6000,
  reporters: 16_000,
  scan: 6000,
  seal: 45_000,
  sources: 50_000,
  stamp: 8000,
  store: 4000,
  template: 400_000,
};
const PACKAGES = ['commander', 'yaml'];

let loaded: Map<string, { readonly bytes: number; readonly by: readonly string[] }>;

beforeAll(async () => {
  const { metafile } = await build({
    entryPoints: ['src/cli/main.ts', 'src/cli/run.ts'],
    bundle: true,
    splitting: true,
    outdir: 'nowhere',
    format: 'esm',
    platform: 'node',
    external: ['cpu-features', '*.node'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  // esbuild keeps a process for the next build.
  await stop();
  loaded = staticImports(metafile);
});

/** Every module that the roots import without `await import()`, and by which way. */
function staticImports({ inputs, outputs }: Metafile): typeof loaded {
  const sizes = new Map<string, number>();
  for (const output of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs))
      sizes.set(path, (sizes.get(path) ?? 0) + bytesInOutput);
  const found: typeof loaded = new Map();
  const queue = VALIDATE.map((path) => [path, [] as string[]] as const);
  for (const [path, by] of queue) {
    if (found.has(path)) continue;
    found.set(path, { bytes: sizes.get(path) ?? 0, by });
    for (const { path: next, kind, external } of inputs[path]?.imports ?? [])
      if (!external && kind !== 'dynamic-import') queue.push([next, [...by, path]]);
  }
  return found;
}

test('validate loads the specs of the rooms, and not their work', () => {
  const sizes = new Map<string, number>();
  for (const [path, { bytes }] of loaded) {
    const room = /^src\/([^/]+)\//.exec(path)?.[1];
    if (room !== undefined) sizes.set(room, (sizes.get(room) ?? 0) + bytes);
  }
  const tooLarge = [...sizes].filter(([room, bytes]) => bytes > (MOST[room] ?? 0));
  const ways = [...loaded]
    .filter(([path]) => tooLarge.some(([room]) => path.startsWith(`src/${room}/`)))
    .sort(([, a], [, b]) => b.bytes - a.bytes)
    .slice(0, 10)
    .map(([path, { bytes, by }]) => `${bytes} ${[...by, path].join(' > ')}`);
  expect(tooLarge, `import the work where it is done:\n${ways.join('\n')}`).toEqual([]);
  expect([...sizes.keys()].sort()).toEqual(Object.keys(MOST).sort());
});

test('validate loads no other packages', () => {
  const packages = [...loaded].flatMap(([path, { by }]) => {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    return name === undefined || PACKAGES.includes(name) ? [] : [[...by, name].join(' > ')];
  });
  expect(packages).toEqual([]);
});
