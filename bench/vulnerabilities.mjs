// Looking up an image of 300 Debian packages in a vulnerability database of real size and shape, in a process of its
// own; and the list of packages of such an image. No tracker is asked: the database is generated, the same in every run.
import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';

const PACKAGES = 300;
/** What the Debian security tracker's JSON has had since 2025: about this many source packages and bytes. */
const SOURCES = 3800;
const BYTES = 60 * 1000 * 1000;
/** It must fit beside a build. */
const MOST_MEGABYTES = 500;
const SUITES = ['bullseye', 'bookworm', 'trixie', 'forky', 'sid'];

export default {
  title: `Vulnerabilities of ${PACKAGES} packages in a generated tracker of 60 MB`,
  rounds: 5,
  async setup(ctx) {
    const { tmp, state } = ctx;
    state.tracker = join(tmp, 'generated-tracker-of-real-size.json');
    generateTrackerOfRealSize(state.tracker);
    state.image = join(tmp, 'image');
    generateImage(state.image);
    state.program = join(tmp, 'match.mjs');
    await bundle(ctx, PROGRAM, state.program);
  },
  cases: [
    { name: 'packages listed', run: (ctx) => measure(ctx, 'listed') },
    { name: 'matched', run: (ctx) => measure(ctx, 'matched') },
    { name: 'whole process, memory', unit: 'MB', run: (ctx) => measure(ctx, 'megabytes') },
  ],
  limits: [
    { of: 'matched', seconds: 2, why: 'a gate in every build' },
    { of: 'packages listed', seconds: 5, why: 'so is the bill of materials' },
  ],
};

async function measure({ run, state }, what) {
  const out = await run(process.execPath, [state.program, state.image, state.tracker]);
  const result = JSON.parse(out);
  if (result.packages !== PACKAGES || result.found < PACKAGES || result.size !== SOURCES)
    throw new Error(`the bench did not do its work: ${out}`);
  if (result.megabytes > MOST_MEGABYTES)
    throw new Error(`it took ${result.megabytes} MB, allowed ${MOST_MEGABYTES}`);
  return result[what];
}

const PROGRAM = `
import { statSync } from 'node:fs';
import { openRootfs } from './src/host/index.ts';
import { takeInventory } from './src/scan/packages/inventory.ts';
import { matchPackages } from './src/scan/vulnerabilities/match.ts';
const [image, path] = process.argv.slice(2);
const began = performance.now();
const inventory = takeInventory(openRootfs(image));
const listed = performance.now();
const database = { location: path, kind: 'debian-tracker', path, date: statSync(path).mtime.toISOString() };
const result = matchPackages(inventory, [database]);
const ended = performance.now();
process.stdout.write(JSON.stringify({
  packages: inventory.packages.length,
  found: result.vulnerabilities.length,
  size: result.databases[0].size,
  listed: (listed - began) / 1000,
  matched: (ended - listed) / 1000,
  megabytes: process.resourceUsage().maxRSS / 1000,
}));
`;

/** Numbers that look like chance and are the same in every run. */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** The tracker's form: source → CVE → description, bug, scope, releases. Few sources have most of the entries. */
function generateTrackerOfRealSize(path) {
  const random = chance(1);
  const file = openSync(path, 'w');
  let size = writeSync(file, '{');
  for (let i = 0; i < SOURCES; i++) {
    const entries = {};
    const left = (BYTES - size) / (SOURCES - i);
    for (let bytes = 0; bytes < left; ) {
      const id = `CVE-20${10 + random(16)}-${1000 + random(60_000)}`;
      entries[id] = entry(random);
      bytes += JSON.stringify(entries[id]).length;
    }
    size += writeSync(file, `${i === 0 ? '' : ', '}"source-${i}": ${JSON.stringify(entries)}`);
  }
  writeSync(file, '}');
  closeSync(file);
  if (Math.abs(statSync(path).size - BYTES) > BYTES / 20)
    throw new Error('the generated tracker has the wrong size');
}

function entry(random) {
  const releases = {};
  for (const suite of SUITES) {
    const resolved = random(10) < 7;
    releases[suite] = {
      status: resolved ? 'resolved' : random(20) === 0 ? 'undetermined' : 'open',
      repositories: {
        [suite]: `1.${random(9)}-${random(20)}`,
        [`${suite}-security`]: `1.9-${random(20)}+deb12u1`,
      },
      ...(resolved && { fixed_version: random(5) === 0 ? '0' : `1.${random(12)}-${random(9)}` }),
      ...(!resolved && { nodsa: 'Minor issue', nodsa_reason: '' }),
      urgency: ['not yet assigned', 'not yet assigned', 'unimportant', 'low', 'medium', 'high**'][random(6)],
    };
  }
  const words = Array.from(
    { length: 18 + random(40) },
    () => 'a "quoted" buffer overflow in'.split(' ')[random(5)],
  );
  return { description: words.join(' '), debianbug: 700_000 + random(300_000), scope: 'remote', releases };
}

/** An image of PACKAGES packages whose sources are in the tracker. */
function generateImage(dir) {
  mkdirSync(join(dir, 'var/lib/dpkg'), { recursive: true });
  mkdirSync(join(dir, 'etc'));
  writeFileSync(join(dir, 'etc/os-release'), 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n');
  const entries = Array.from(
    { length: PACKAGES },
    (_, i) =>
      `Package: lib${i}\nStatus: install ok installed\nArchitecture: amd64\nSource: source-${i * 11} (1.5-3)\nVersion: 1.5-3+b1\nDescription: one\n of many\n\n`,
  );
  writeFileSync(join(dir, 'var/lib/dpkg/status'), entries.join(''));
}
