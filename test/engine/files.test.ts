import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type PackerFolder, packerFolder } from '../app/packer-folder.ts';

let folder: PackerFolder;
beforeEach(() => {
  folder = packerFolder();
});
afterEach(() => folder[Symbol.dispose]());

const NULL = 'source "null" "a" {\n  communicator = "none"\n}\n';
const FILE = 'source "file" "a" {\n  content = "x"\n  target = "made.txt"\n}\n';
const text = (name: string): string => readFileSync(join(folder.dir, name), 'utf8');
const build = async (hcl: string, ...flags: string[]) => {
  folder.write('t.pkr.hcl', hcl);
  return await folder.run('build', ...flags, 't.pkr.hcl');
};
const shell = (line: string, more = ''): string =>
  `  provisioner "shell-local" {\n    inline = [${JSON.stringify(line)}]\n    ${more}\n  }\n`;

test('runs without root, in the current folder, with the names that scripts know', async () => {
  const result = await build(
    `${NULL}build {\n  name = "n"\n  sources = ["null.a"]\n${shell('echo $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE ${build.ID} ${source.name} > out')}}\n`,
  );
  expect(result.stderr + result.stdout).toContain('Did not export anything');
  expect(text('out')).toBe('a null Null a\n');
  expect(result.code).toBe(0);
});

test('every provisioner and post-processor sees one run UUID', async () => {
  await build(
    `${NULL}build {\n  sources = ["null.a"]\n${shell('echo ${build.PackerRunUUID} $PACKER_RUN_UUID > one')}\n  post-processor "shell-local" {\n    inline = ["echo ${'${build.PackerRunUUID}'} > two"]\n  }\n}\n`,
  );
  const [first, second] = text('one').trim().split(' ');
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect([second, text('two').trim()]).toEqual([first, first]);
});

describe('options that every provisioner has', () => {
  test('only, except and override name the source', async () => {
    const two = `${NULL}source "null" "b" {\n  communicator = "none"\n}\n`;
    await build(
      `${two}build {\n  sources = ["null.a", "null.b"]\n${shell('echo only >> ${source.name}', 'only = ["null.a"]')}${shell('echo except >> ${source.name}', 'except = ["null.a"]')}  provisioner "shell-local" {\n    inline = ["echo base >> ${'${source.name}'}"]\n    override = {\n      b = { inline = ["echo over >> b"] }\n    }\n  }\n}\n`,
    );
    expect(text('a')).toBe('only\nbase\n');
    expect(text('b')).toBe('except\nover\n');
  });

  test('max_retries runs it so often more', async () => {
    const line = 'echo x >> tries; test $(wc -l < tries) -ge 3';
    const ok = await build(`${NULL}build {\n  sources = ["null.a"]\n${shell(line, 'max_retries = 2')}}\n`);
    expect(ok.code).toBe(0);
    writeFileSync(join(folder.dir, 'tries'), '');
    const bad = await build(`${NULL}build {\n  sources = ["null.a"]\n${shell(line, 'max_retries = 1')}}\n`);
    expect(bad.code).toBe(1);
    expect(text('tries')).toBe('x\nx\n');
  });

  test('continue_on_error goes on', async () => {
    const { code } = await build(
      `${NULL}build {\n  sources = ["null.a"]\n${shell('exit 1', 'continue_on_error = true')}${shell('echo on > after')}}\n`,
    );
    expect(code).toBe(0);
    expect(text('after')).toBe('on\n');
  });

  test('continue_on_error is part of the digest: what a failure left is no layer of a step that has to succeed', async () => {
    const idsWith = async (more: string): Promise<string[]> => {
      folder.write('t.pkr.hcl', `${NULL}build {\n  sources = ["null.a"]\n${shell('exit 1', more)}}\n`);
      const { stdout } = await folder.run('plan', '--json', 't.pkr.hcl');
      const { images } = JSON.parse(stdout) as { images: { steps: { kind: string; id: string }[] }[] };
      return (images[0]?.steps ?? []).filter((s) => s.kind === 'provisioner').map((s) => s.id);
    };
    const plain = await idsWith('');
    expect(plain).toHaveLength(1);
    expect(await idsWith('max_retries = 2')).toEqual(plain);
    expect(await idsWith('continue_on_error = false')).toEqual(plain);
    expect(await idsWith('continue_on_error = true')).not.toEqual(plain);
  });

  test('timeout ends it, and does not count the pause before', async () => {
    const slow = await build(
      `${NULL}build {\n  sources = ["null.a"]\n${shell('sleep 20', 'timeout = "200ms"\n    pause_before = "10ms"')}}\n`,
    );
    expect(slow.code).toBe(1);
    expect(slow.stderr).toContain('did not end within 200 ms');
    // 41 days are more than a timer takes.
    const never = await build(
      `${NULL}build {\n  sources = ["null.a"]\n${shell('sleep 0.1', 'timeout = "1000h"')}}\n`,
    );
    expect(never.code).toBe(0);
    const began = performance.now();
    const quick = await build(
      `${NULL}build {\n  sources = ["null.a"]\n${shell('true', 'timeout = "5s"\n    pause_before = "300ms"')}}\n`,
    );
    expect(quick.code).toBe(0);
    expect(performance.now() - began).toBeGreaterThan(299);
  });

  test('the error-cleanup provisioner runs after a failure, and not with -on-error=abort', async () => {
    const hcl = `${NULL}build {\n  sources = ["null.a"]\n${shell('exit 1')}  error-cleanup-provisioner "shell-local" {\n    inline = ["echo x >> cleaned"]\n  }\n}\n`;
    expect((await build(hcl, '-on-error=abort')).code).toBe(1);
    expect(existsSync(join(folder.dir, 'cleaned'))).toBe(false);
    expect((await build(hcl)).code).toBe(1);
    expect((await build(hcl, '-on-error=run-cleanup-provisioner')).code).toBe(1);
    expect(text('cleaned')).toBe('x\nx\n');
  });
});

describe('post-processors', () => {
  const chain = (...blocks: string[]): string => `  post-processors {\n${blocks.join('')}  }\n`;
  const compress = (output: string, more = ''): string =>
    `    post-processor "compress" {\n      output = "${output}"\n      ${more}\n    }\n`;
  const checksum =
    '    post-processor "checksum" {\n      checksum_types = ["md5"]\n      output = "sums"\n    }\n';
  const of = (chains: string): string => `${FILE}build {\n  sources = ["file.a"]\n${chains}}\n`;
  const there = (...names: string[]): boolean[] => names.map((name) => existsSync(join(folder.dir, name)));

  test('a chain hands on what each makes, and deletes what nobody keeps', async () => {
    await build(of(chain(compress('one.gz'), compress('two.tar'), checksum)));
    expect(there('made.txt', 'one.gz', 'two.tar', 'sums')).toEqual([false, false, true, true]);
    expect(text('sums')).toContain('\ttwo.tar\n');
  });

  test('keep_input_artifact keeps it, in whatever chain', async () => {
    await build(of(chain(compress('one.gz', 'keep_input_artifact = true'))));
    expect(there('made.txt', 'one.gz')).toEqual([true, true]);
    await build(of(chain(compress('one.gz')) + chain(checksum)));
    expect(there('made.txt', 'one.gz', 'sums')).toEqual([true, true, true]);
  });

  test('one that fails ends its chain, and the build when the others have ended', async () => {
    const line = (text: string): string =>
      `    post-processor "shell-local" {\n      inline = ["${text}"]\n    }\n`;
    const result = await build(
      of(
        chain(line('touch one'), line('exit 3'), line('touch two')) +
          chain(line('exit 4')) +
          chain(compress('three.gz'), line('touch four')),
      ),
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/exit code 3[\s\S]*exit code 4/);
    expect(there('one', 'two', 'three.gz', 'four')).toEqual([true, false, true, true]);
    // What a post-processor failed on is not deleted, although compress does not keep it.
    expect(there('made.txt')).toEqual([true]);
  });

  test('what must keep its input keeps it, whatever the template says', async () => {
    await build(
      of('  post-processor "shell-local" {\n    inline = ["true"]\n    keep_input_artifact = false\n  }\n'),
    );
    expect(there('made.txt')).toEqual([true]);
  });

  test('only, except and -except; what is left out by name ends its chain', async () => {
    const named = (name: string, more = ''): string =>
      `    post-processor "shell-local" {\n      name = "${name}"\n      inline = ["touch ${name}"]\n      ${more}\n    }\n`;
    const hcl = of(
      chain(named('first', 'only = ["file.a"]'), named('second', 'except = ["file.a"]'), named('third')) +
        chain(named('fourth')),
    );
    await build(hcl);
    expect(there('first', 'second', 'third', 'fourth')).toEqual([true, false, true, true]);
    vi.unstubAllEnvs();
    folder[Symbol.dispose]();
    folder = packerFolder();
    await build(hcl, '-except=first');
    expect(there('first', 'third', 'fourth')).toEqual([false, false, true]);
  });
});

describe('several builds', () => {
  const sources = (...names: string[]): string =>
    names.map((name) => `source "null" "${name}" {\n  communicator = "none"\n}\n`).join('');
  const of = (names: readonly string[], body: string): string =>
    `${sources(...names)}build {\n  sources = [${names.map((n) => `"null.${n}"`).join(', ')}]\n${body}}\n`;
  const failing = of(
    ['a', 'b', 'c'],
    shell('if test ${source.name} = b; then exit 5; fi; sleep 1; touch made-${source.name}'),
  );

  test('are attributed, and the failure of one is no end of the others', async () => {
    const { code, stdout, stderr } = await build(failing, '--events=events.jsonl');
    expect(code).toBe(1);
    expect(['a', 'b', 'c'].map((n) => existsSync(join(folder.dir, `made-${n}`)))).toEqual([
      true,
      false,
      true,
    ]);
    expect(stdout).toMatch(/==> b: shell-local[^\n]*: failed/);
    expect(stdout).toContain('✓ a ');
    expect(stdout).toContain('✓ c ');
    expect(stderr).toContain('ended with exit code 5');
    const events = text('events.jsonl').trim().split('\n');
    const ends = events
      .map((line) => JSON.parse(line) as { type: string; image?: string; status?: string })
      .filter(({ type }) => type === 'build:end')
      .map(({ image, status }) => `${image} ${status}`);
    expect(ends.sort()).toEqual(['a done', 'b failed', 'c done']);
  });

  test('--json tells of those that were built, and of the failure', async () => {
    const { code, stdout } = await build(failing, '--json');
    expect(code).toBe(1);
    const { images, diagnostics } = JSON.parse(stdout) as {
      images: { name: string }[];
      diagnostics: { code: string }[];
    };
    expect(images.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(diagnostics.map((d) => d.code)).toEqual(['provisioner/script-failed']);
  });

  test('-on-error=abort ends the others, and begins no more', async () => {
    const began = performance.now();
    const slow = of(
      ['a', 'b', 'c'],
      shell('if test ${source.name} = b; then exit 5; fi; sleep 300; touch made-${source.name}'),
    );
    const { code, stdout, stderr } = await build(slow, '-on-error=abort', '-parallel-builds=2');
    expect(code).toBe(1);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(stdout).toMatch(/    a: shell-local[^\n]*: cancelled/);
    expect(stdout).toContain('    c: waits: 2 builds run at once (-parallel-builds)');
    expect(stdout).not.toContain('==> c:');
    expect(stderr.match(/error:/g)).toHaveLength(1);
  });

  test('one build at a time with -parallel-builds=1', async () => {
    const { code } = await build(
      of(['a', 'b'], shell('echo in >> log; sleep 0.3; echo out >> log')),
      '-parallel-builds=1',
    );
    expect(code).toBe(0);
    expect(text('log')).toBe('in\nout\nin\nout\n');
  });
});

test('builds that share a manifest write one after the other', async () => {
  const sources = Array.from(
    { length: 6 },
    (_, i) => `source "null" "s${i}" {\n  communicator = "none"\n}\n`,
  );
  const names = sources.map((_, i) => `"null.s${i}"`).join(', ');
  const { code } = await build(
    `${sources.join('')}build {\n  sources = [${names}]\n  post-processor "manifest" {\n    output = "m.json"\n  }\n}\n`,
  );
  expect(code).toBe(0);
  expect((JSON.parse(text('m.json')) as { builds: unknown[] }).builds).toHaveLength(6);
});
