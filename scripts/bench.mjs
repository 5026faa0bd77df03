// Runs the benchmarks of bench/*.mjs, all or those named: node scripts/bench.mjs [--rounds=N] [name…]
//
// A benchmark's default export: { title, rounds?, setup?(ctx), cases: [{ name, unit?, prepare?(ctx), run(ctx) }],
// limits?: [{ of, seconds? | to?, times?, why }] }. Every round runs every case once, in turns of changing order, so
// that what disturbs the machine disturbs all alike; the median of the rounds counts. `prepare` is not timed; where
// `run` answers a number, that many seconds (or `unit`s, such as MB) count instead of the time it took. A limit is an
// upper bound, in seconds or in times the median of another case.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/benchmarks.md');
const data = join(root, 'docs/benchmarks.json');

const { values: flags, positionals: wanted } = parseArgs({
  options: { rounds: { type: 'string' } },
  allowPositionals: true,
});
const askedRounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
if (askedRounds !== undefined && !(Number.isInteger(askedRounds) && askedRounds > 0)) {
  process.stderr.write(`bench: --rounds=${flags.rounds} is no number of rounds\n`);
  process.exit(2);
}
const names = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.replace('.mjs', ''))
  .sort();
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no ${unknown.join(', ')}; there are: ${names.join(', ')}\n`);
  process.exit(2);
}

let met = true;
for (const name of names.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const { default: bench } = await import(`../bench/${name}.mjs`);
  process.stdout.write(`\n${bench.title}\n`);
  const result = {
    ...(await measure(bench)),
    machine: machine(),
    date: new Date().toISOString().slice(0, 10),
  };
  const text = report(bench, result);
  process.stdout.write(`${text}\n`);
  met &&= result.limits.every((limit) => limit.met);
  save(name, bench.title, result, text);
}
process.exitCode = met ? 0 : 1;

/** Seconds of each case, round by round, and whether the limits hold for the medians. */
async function measure(bench) {
  const tmp = mkdtempSync(join(tmpdir(), 'ingot-bench-'));
  const ctx = { root, tmp, run, state: {} };
  const seconds = Object.fromEntries(bench.cases.map(({ name }) => [name, []]));
  try {
    await bench.setup?.(ctx);
    for (let round = 0; round < (askedRounds ?? bench.rounds ?? 3); round++) {
      const order = round % 2 === 0 ? bench.cases : bench.cases.toReversed();
      for (const { name, unit, prepare, run: work } of order) {
        await prepare?.(ctx);
        const began = performance.now();
        const own = await work(ctx);
        seconds[name].push(own ?? (performance.now() - began) / 1000);
        process.stderr.write(`  round ${round + 1}: ${name} ${show(seconds[name].at(-1), unit)}\n`);
      }
    }
  } finally {
    await bench.teardown?.(ctx);
    rmSync(tmp, { recursive: true, force: true });
  }
  const medians = Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, median(all)]));
  const limits = (bench.limits ?? []).map((limit) => {
    const value = limit.to === undefined ? medians[limit.of] : medians[limit.of] / medians[limit.to];
    return { ...limit, value, met: value <= (limit.seconds ?? limit.times) };
  });
  return { seconds, medians, limits };
}

/** Runs a command to its end; throws with its output when it fails. Answers its standard output. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, ...options });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part) => (stdout += part));
    child.stderr.on('data', (part) => (stderr += part));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`));
    });
  });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function show(value, unit) {
  if (unit !== undefined) return `${value.toFixed(0)} ${unit}`;
  return value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} s`;
}

/** The measurements as a Markdown table, and a line for each limit. */
function report(bench, { seconds, medians, limits }) {
  const rows = bench.cases.map(({ name, unit }) => [
    name,
    show(medians[name], unit),
    seconds[name].map((value) => show(value, unit)).join(', '),
  ]);
  const table = [['case', 'median', 'rounds'], ['---', '---:', '---'], ...rows].map(
    (row) => `| ${row.join(' | ')} |`,
  );
  const lines = limits.map((limit) => {
    const value = limit.to === undefined ? show(limit.value) : `${limit.value.toFixed(2)} × ${limit.to}`;
    const bound = limit.to === undefined ? show(limit.seconds) : `${limit.times} ×`;
    return `- ${limit.met ? 'met' : '**missed**'}: ${limit.of} takes ${value}, allowed ${bound}${limit.why ? ` (${limit.why})` : ''}`;
  });
  return [...table, ...(lines.length > 0 ? ['', ...lines] : [])].join('\n');
}

function machine() {
  const model = cpus()[0]?.model ?? 'unknown processor';
  return `${cpus().length} × ${model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
}

/** Puts the result into the JSON file, and its section into the page; other sections stay as they are. */
function save(name, title, result, text) {
  const all = existsSync(data) ? JSON.parse(readFileSync(data, 'utf8')) : {};
  writeFileSync(data, `${JSON.stringify({ ...all, [name]: { title, ...result } }, undefined, 2)}\n`);

  const begin = `<!-- bench:${name} -->`;
  const end = `<!-- /bench:${name} -->`;
  const section = `${begin}\n## ${title}\n\n${result.date}, on ${result.machine}.\n\n${text}\n${end}`;
  const before = existsSync(page)
    ? readFileSync(page, 'utf8')
    : '# Benchmarks\n\nWritten by `npm run bench`. Compare within one section only: other machines, other numbers.\n';
  const start = before.indexOf(begin);
  const after =
    start === -1
      ? `${before.trimEnd()}\n\n${section}\n`
      : before.slice(0, start) + section + before.slice(before.indexOf(end) + end.length);
  writeFileSync(page, after);
}
