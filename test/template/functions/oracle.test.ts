import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { standardFunctions } from '../../../src/template/functions/index.ts';
import { NOW, run, testScope } from '../evaluate-text.ts';

const EXPRESSIONS = readFileSync(join(import.meta.dirname, 'oracle.txt'), 'utf8')
  .trim()
  .split('\n');

const NEWER = 'came after 1.6.6, or takes part in packer console only since';
const INFINITY = 'dividing by nought is an error here; cty knows infinity, which nothing can hold';
const DECIMALS = 'our numbers are decimal, theirs binary floats';

/** Expressions that Packer 1.6.6 answers differently, and why. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'can(1/0)': INFINITY,
  'try(1/0, 2)': INFINITY,
  'filebase64("hello.txt")': NEWER,
  'index(["a","b"], 1)': 'index answered an element in 1.6.6; since 1.8.4 it is the place of a value',
  'jsonencode(null)': 'refused until cty 1.5',
  'merge()': 'null until cty 1.5, then an empty object',
  'pow(2, 100)': DECIMALS,
  'range(0,1,0.1)': DECIMALS,
  'format("%.1g", 0.95)': DECIMALS,
  'regex("a(.)c", "abc")': NEWER,
  'regex("(?P<x>.)", "abc")': NEWER,
  'regex("a", "a")': NEWER,
  'regexall("a(.)", "abac")': NEWER,
  'regexall("x", "abc")': NEWER,
  'templatefile("t.tpl", {n=1})': NEWER,
  'legacy_isotime("2006")': NEWER,
  'yamldecode("...")': 'the end of nothing is null here, an error there',
  'yamldecode("---")': "an empty document is null here, and unknown there, which the console can't print",
};

/** Functions of ours that 1.6.6 does not know: the oracle can't speak about them. */
const UNKNOWN_TO_IT =
  'alltrue anytrue aws_secretsmanager aws_secretsmanager_raw base64gzip endswith filebase64 legacy_strftime rfc3339_parse rsadecrypt startswith strcontains sum templatefile textdecodebase64 textencodebase64 unix_timestamp_parse legacy_isotime regex regexall'.split(
    ' ',
  );
/** Asked elsewhere, since their answers are others each time, on each machine, or come from a service. */
const CHANGING = ['bcrypt', 'consul_key', 'env', 'timestamp', 'uuidv4', 'vault'];

const version = spawnSync('packer', ['version'], { encoding: 'utf8' });
const reason = version.error ? ` (skipped: no packer here, ${version.error.message})` : '';

describe.skipIf(reason !== '')(`Debian’s packer as an oracle${reason}`, () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ingot-oracle-'));
    mkdirSync(join(dir, 'd'));
    writeFileSync(join(dir, 'hello.txt'), 'Hello\n');
    writeFileSync(join(dir, 'd/a.sh'), 'a\n');
    writeFileSync(join(dir, 't.tpl'), 'x ${n}\n');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** What packer console says to each expression; undefined for an error. */
  function ask(expressions: readonly string[]): (string | undefined)[] {
    const input = expressions.map((text, i) => `${text}\n"@@@${i}"\n`).join('');
    const { stdout } = spawnSync('packer', ['console', '--config-type=hcl2'], {
      input,
      encoding: 'utf8',
      cwd: dir,
      env: { ...process.env, CHECKPOINT_DISABLE: '1' },
    });
    const answers = stdout.split(/^@@@[0-9]+\n/m);
    expect(answers).toHaveLength(expressions.length + 1);
    return answers.slice(0, -1).map((answer) => (answer.startsWith('Error:') ? undefined : answer.trim()));
  }

  test('answers and errors agree, but for the differences above', () => {
    const theirs = ask(EXPRESSIONS.map((text) => `jsonencode([${text}])`));
    const differing = EXPRESSIONS.filter((text, i) => {
      const { value, errors } = run(`jsonencode([${text}])`, testScope(dir));
      return (errors.length > 0 ? undefined : value.data) !== theirs[i];
    });
    expect(differing.sort()).toEqual(Object.keys(DIFFERENT).sort());
  });

  test('every function that it knows was asked', () => {
    const names = [
      ...standardFunctions({ dir: '/', now: NOW, env: {} }).keys(),
      'try',
      'can',
      'convert',
    ].sort();
    const asked = new Set(EXPRESSIONS.flatMap((text) => /^[a-z0-9_]+(?=\()/.exec(text) ?? []));
    expect(names.filter((name) => !asked.has(name) && !CHANGING.includes(name))).toEqual(
      [...UNKNOWN_TO_IT].filter((name) => !asked.has(name)).sort(),
    );
  });
});
