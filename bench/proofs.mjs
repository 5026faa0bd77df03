// What is proven of an image, as it costs in every build: goss checks of the disk, mutations of them, the bill of
// materials, and the search for secrets over a whole disk, against grep on the same bytes.
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { exampleProject } from './project.mjs';

const CHECKS = 100;
const SECRETS = 20;
const DISK = 2 * 2 ** 30;
const MEGABYTE = 2 ** 20;

export default {
  title: 'Proofs of an image',
  rounds: 5,
  async setup(ctx) {
    const { tmp, state } = ctx;
    state.project = exampleProject(ctx);
    state.project.outputs('disk { size = "2G" }', 'output "qcow2" { compression = "none" }');
    const { images } = JSON.parse(await state.project.build());
    state.image = images[0].outputs[0].path;
    state.goss = join(tmp, 'goss.yaml');
    writeFileSync(state.goss, gossFile());
    state.disk = join(tmp, 'disk.raw');
    writeDisk(state.disk, process.execPath, join(ctx.root, 'package-lock.json'));
    state.words = join(tmp, 'words');
    writeFileSync(state.words, secrets().join('\n'));
    state.program = join(tmp, 'residue.mjs');
    await bundle(ctx, PROGRAM, state.program);
  },
  cases: [
    { name: `${CHECKS} goss checks of the disk`, run: (ctx) => ingotTest(ctx, '--format', 'silent') },
    { name: '200 mutations of it', run: (ctx) => ingotTest(ctx, '--mutate', '--mutations', '200') },
    {
      name: 'its bill of materials',
      run: (ctx) => ingot(ctx, 'sbom', ctx.state.image),
    },
    { name: `${SECRETS} secrets in a disk of 2 GiB`, run: searchSecrets },
    {
      name: 'grep -F -a -c, the values as they are',
      run: async ({ run, state }) =>
        void (await run(
          'sh',
          ['-c', 'grep -F -a -c -f "$1" "$2" || [ $? = 1 ]', 'sh', state.words, state.disk],
          {
            env: { ...process.env, LC_ALL: 'C' },
          },
        )),
    },
  ],
  limits: [
    { of: `${CHECKS} goss checks of the disk`, seconds: 3, why: 'they run in every build' },
    { of: 'its bill of materials', seconds: 5, why: 'so does this' },
    {
      of: `${SECRETS} secrets in a disk of 2 GiB`,
      seconds: DISK / 500e6,
      why: '500 MB/s, in all forms of each value and in what is packed',
    },
  ],
};

async function ingot({ root, run, state }, ...args) {
  const env = { ...process.env, INGOT_CACHE_DIR: state.project.cache, NO_COLOR: '1' };
  await run(process.execPath, [join(root, 'bin/ingot'), ...args], { env });
}

async function ingotTest(ctx, ...args) {
  await ingot(ctx, 'test', ctx.state.image, '--goss', ctx.state.goss, '--no-boot', ...args);
}

/** A file is three checks; the last one makes the hundred. */
function gossFile() {
  const files = [
    '/etc/passwd',
    '/etc/group',
    '/etc/nginx/nginx.conf',
    '/usr/sbin/nginx',
    '/etc/ssh/sshd_config',
  ];
  const resources = Array.from({ length: 33 }, (_, i) => {
    return `  f${i}: {path: ${files[i % files.length]}, exists: true, owner: root, size: {gt: 1}}`;
  });
  return `file:\n${resources.join('\n')}\npackage: {nginx: {installed: true}}\n`;
}

async function searchSecrets({ run, state }) {
  const out = await run('taskset', ['-c', '0', process.execPath, state.program, state.disk, state.words]);
  const { hits, searched, seconds } = JSON.parse(out);
  if (hits !== 0 || searched !== DISK) throw new Error(`the bench did not do its work: ${out}`);
  return seconds;
}

const PROGRAM = `
import { readFileSync, statSync } from 'node:fs';
import { createHost } from './src/host/index.ts';
import { needlesOf } from './src/scan/residue/needles.ts';
import { searchFile } from './src/scan/residue/search-file.ts';
import { NeedleSet } from './src/scan/residue/search-stream.ts';
import { UnpackBudget } from './src/scan/residue/unpack-budget.ts';
const [disk, words] = process.argv.slice(2);
const { signal } = new AbortController();
const context = { host: createHost({ leaseDir: words + '.leases' }), signal, budget: new UnpackBudget() };
const set = new NeedleSet(needlesOf(readFileSync(words, 'utf8').split('\\n')).needles);
const began = performance.now();
const found = await searchFile(disk, [{ start: 0, end: statSync(disk).size }], set, context);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(JSON.stringify({ hits: found.hits.length, searched: found.searched, seconds }));
`;

/** Values of the length of tokens, which are in no disk. */
function secrets() {
  return Array.from(
    { length: SECRETS },
    (_, i) => `bench-secret-${String(i).padStart(2, '0')}-${'x'.repeat(20)}`,
  );
}

/** A program and a text by turns, with zeros between them: what a disk is made of. */
function writeDisk(path, program, text) {
  const code = readFileSync(program);
  const words = readFileSync(text);
  const file = openSync(path, 'w');
  const zeros = Buffer.alloc(MEGABYTE);
  const part = (bytes, i) => {
    const at = (i * MEGABYTE) % Math.max(1, bytes.length - MEGABYTE);
    const piece = bytes.subarray(at, at + MEGABYTE);
    return Buffer.concat([piece, zeros]).subarray(0, MEGABYTE);
  };
  for (let i = 0; i < DISK / MEGABYTE; i++)
    writeSync(file, i % 4 === 3 ? zeros : i % 4 === 2 ? part(words, i) : part(code, i));
  closeSync(file);
}
