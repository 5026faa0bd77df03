import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Finished, finished, Workspace } from './ingot.ts';

// Builds in containers, side by side and by hand: who speaks, who waits, who goes on when one fails, who is asked, and
// that nothing is left whenever the user stops us.

const SOURCES = ['one', 'two'];
const source = (name: string): string => `source "mmdebstrap" "${name}" {
  suite   = "bookworm"
  variant = "minbase"
}
`;
const image = (name: string): string => `image "${name}" {
  build   = "mmdebstrap.${name}"
  version = "1.0.0"
  output "rootfs" {}
}
`;
const shell = (...lines: string[]): string =>
  `  provisioner "shell" {\n    inline = ${JSON.stringify(lines)}\n  }\n`;
const cleanup = (line: string): string =>
  `  error-cleanup-provisioner "shell" {\n    inline = ["${line}"]\n  }\n`;

let ws: Workspace;

function write(...blocks: string[]): void {
  const build = `build {\n  sources = [${SOURCES.map((n) => `"mmdebstrap.${n}"`).join(', ')}]\n${blocks.join('')}}\n`;
  writeFileSync(ws.path('web.pkr.hcl'), SOURCES.map(source).join('') + build);
}

/** Commands for one of the two. */
const on = (name: string, ...lines: string[]): string =>
  shell(`if test $PACKER_BUILD_NAME = ${name}; then ${lines.join('; ')}; fi`);

beforeAll(async () => {
  ws = Workspace.withDownloads();
  writeFileSync(ws.path('web.ingot.hcl'), SOURCES.map(image).join(''));
  write();
  await ws.build();
});
afterAll(() => ws.remove());
afterEach(() => {
  expect(ws.residue()).toEqual([]);
});

/** Runs a build in a terminal; whenever `question` is printed, types what `answer` gives. */
async function inTerminal(
  question: RegExp,
  answer: (pid: number) => string,
  ...args: string[]
): Promise<Finished> {
  const ingot = ws.startInTerminal('build', ...args, '.');
  let heard = '';
  ingot.stdout?.on('data', (text: string) => {
    heard += text;
    if (!question.test(heard)) return;
    heard = '';
    ingot.stdin?.write(answer(ingot.pid as number));
  });
  return await finished(ingot);
}

describe('side by side', () => {
  test('every line says whose it is', async () => {
    write(shell('echo hello from $PACKER_BUILD_NAME', 'sleep 1'));
    const began = performance.now();
    const { exitCode, stdout } = await ws.run('build', '--max-cpus=2', '.');
    expect(exitCode).toBe(0);
    for (const name of SOURCES) {
      expect(stdout).toContain(`    ${name}: hello from ${name}\n`);
      expect(stdout).toMatch(new RegExp(`^--> ${name}: |✓ ${name} 1.0.0$`, 'm'));
    }
    const order = stdout.split('\n').filter((line) => /hello|==> \w+: done/.test(line));
    expect(order.slice(0, 2).join()).not.toContain('done');
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  test('what they have in common is made once', async () => {
    write('  provisioner "file" {\n    content     = "common"\n    destination = "/srv/common"\n  }\n');
    const { exitCode, stdout } = await ws.run('build', '--max-cpus=2', '.');
    expect(exitCode).toBe(0);
    expect(stdout.match(/^==> \w+: file\b/gm)).toHaveLength(1);
  });

  test('with --force all is made anew', async () => {
    write(shell('cp /proc/sys/kernel/random/uuid /srv/uuid'));
    const digest = async (...args: string[]): Promise<string | undefined> =>
      (await ws.build(...args)).images[0]?.outputs[0]?.digest;
    const first = await digest('-only=*.one');
    expect(await digest('-only=*.one')).toBe(first);
    expect(await digest('-only=*.one', '--force')).not.toBe(first);
  });

  test('what a step on the host makes anew goes into the image, and what is the same runs nothing', async () => {
    write(
      '  provisioner "shell-local" {\n    inline = ["cp given.txt made.txt"]\n  }\n',
      '  provisioner "file" {\n    source      = "made.txt"\n    generated   = true\n    destination = "/srv/made"\n  }\n',
      shell('echo the image has $(cat /srv/made)'),
    );
    const said = async (given: string): Promise<string | undefined> => {
      writeFileSync(ws.path('given.txt'), given);
      const { exitCode, stdout } = await ws.run('build', '-only=*.one', '.');
      expect(exitCode).toBe(0);
      return /the image has (\w+)/.exec(stdout)?.[1];
    };
    expect([await said('first'), await said('first'), await said('second'), await said('first')]).toEqual([
      'first',
      undefined,
      'second',
      undefined,
    ]);
  });

  test('one waits where processors are short, and says so', async () => {
    write(shell('echo now $PACKER_BUILD_NAME'));
    const { exitCode, stdout } = await ws.run('build', '--max-cpus=1', '.');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('    two: waits for 1 CPU: others have 1 of 1 (--max-cpus)\n');
    expect(stdout.indexOf('==> one: done')).toBeLessThan(stdout.indexOf('==> two: version'));
  });

  test('the failure of one leaves the other alone', async () => {
    write(on('one', 'exit 3'), shell('sleep 1; touch /srv/made'));
    const { exitCode, stdout, stderr } = await ws.run('build', '.');
    expect(exitCode).toBe(1);
    expect(stderr.match(/^error:/gm)).toHaveLength(1);
    expect(stderr).toContain('exit code 3');
    expect(stdout).toContain('✓ two 1.0.0');
  });

  test('with -on-error=abort it ends the other, and leaves its own machine alone', async () => {
    write(on('one', 'sleep 2; exit 3'), on('two', 'sleep 300'));
    const { exitCode, stdout } = await ws.run('build', '-on-error=abort', '.');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/two: shell[^\n]*: cancelled/);
    expect(stdout).toContain('one: the machine is left as it was');
    expect(ws.residue().filter((line) => line.includes('/proc/') || /leases/.test(line))).not.toEqual([]);
    expect((await ws.run('clean')).exitCode).toBe(0);
  });
});

describe('a step that fails', () => {
  test('is followed by the error-cleanup provisioner, in its machine', async () => {
    write(shell('echo half > /srv/half', 'exit 3'), cleanup('echo found $(cat /srv/half)'));
    const { exitCode, stdout } = await ws.run('build', '-only=*.one', '.');
    expect(exitCode).toBe(1);
    expect(stdout).toContain('    one: found half\n');
  });

  test('is left after it with -on-error=run-cleanup-provisioner', async () => {
    write(shell('exit 3'), cleanup('echo cleaned > /srv/cleaned'));
    const { exitCode, stdout } = await ws.run(
      'build',
      '-only=*.one',
      '-on-error=run-cleanup-provisioner',
      '.',
    );
    expect(exitCode).toBe(1);
    const root = /--directory=(\S+)/.exec(stdout)?.[1] as string;
    expect(readFileSync(join(root, 'srv/cleaned'), 'utf8')).toBe('cleaned\n');
    await ws.run('clean');
  });

  test('asks one question after the other where two fail', async () => {
    write(shell('exit 3'));
    const answers = ['r\r', 'c\r', 'c\r'];
    const { exitCode, stdout } = await inTerminal(
      /\[c\/a\/r\] /,
      () => answers.shift() ?? '\u0003',
      '-on-error=ask',
    );
    expect(exitCode).toBe(1);
    expect(answers).toEqual([]);
    for (const name of SOURCES) expect(stdout).toContain(`${name}: "shell exit 3" failed:`);
  });
});

describe('by hand', () => {
  const breakpoint = '  provisioner "breakpoint" {\n    note = "look around"\n  }\n';

  test('a breakpoint waits for Enter, one build at a time', async () => {
    write(breakpoint, shell('echo went on'));
    let stops = 0;
    const { exitCode, stdout } = await inTerminal(
      /look around\. Stopped here; press Enter/,
      () => (stops++, '\r'),
      '--timestamp-ui',
    );
    expect(exitCode, stdout).toBe(0);
    expect(stops).toBe(2);
  });

  test('-debug waits before each step, of one build after the other', async () => {
    write(shell('echo debugged'));
    let stops = 0;
    const { exitCode, stdout } = await inTerminal(/Press Enter to go on\. /, () => (stops++, '\r'), '-debug');
    expect(exitCode).toBe(0);
    expect(stops).toBeGreaterThan(4);
    expect(stdout.indexOf('two: next is')).toBeGreaterThan(stdout.lastIndexOf('one: next is'));
  });

  test.each([
    ['while scripts run', shell('echo waiting; sleep 300'), /waiting/, '--timestamp-ui'],
    ['at a breakpoint', breakpoint, /press Enter/, '--timestamp-ui'],
    ['at a question of -debug', shell('true'), /Press Enter to go on/, '-debug'],
    ['at a question of -on-error=ask', shell('exit 3'), /\[c\/a\/r\] /, '-on-error=ask'],
  ])('Ctrl-C %s ends all builds', async (_where, blocks, question, flag) => {
    write(blocks, shell('echo never > /srv/never'));
    // Once: a second one would end it at once, and leave the rest to `ingot clean`.
    const keys = ['\u0003'];
    const { exitCode, stdout } = await inTerminal(question, () => keys.pop() ?? '', flag);
    expect(exitCode).toBe(130);
    expect(stdout).not.toMatch(/error:|defect/);
  });
});

describe('Ctrl-C', () => {
  /** Sends SIGINT each time that the pattern matches what was printed since. */
  async function interrupted(after: readonly RegExp[], ...args: string[]): Promise<Finished> {
    const ingot = ws.start('build', ...args, '.');
    const patterns = [...after];
    let heard = '';
    const listen = (text: string): void => {
      heard += text;
      if (patterns[0]?.test(heard)) {
        patterns.shift();
        heard = '';
        process.kill(ingot.pid as number, 'SIGINT');
      }
    };
    ingot.stdout?.on('data', listen);
    ingot.stderr?.on('data', listen);
    return await finished(ingot);
  }

  test.each([
    ['while both begin', /==> two: /, []],
    ['while both run a script', /one: waiting[^]*two: waiting|two: waiting[^]*one: waiting/, []],
    ['while one waits for the other', /two: waits for[^]*one: waiting/, ['--max-cpus=1']],
  ] as const)('%s takes both down', async (_when, after, args) => {
    write(shell('echo waiting; sleep 300'));
    const { exitCode, stderr } = await interrupted([after], ...args);
    expect(exitCode).toBe(130);
    expect(stderr).toBe('interrupted\n');
  });

  test('while the outputs are written', async () => {
    write(shell(`echo ${Date.now()} > /srv/new`));
    const { exitCode } = await interrupted([/==> one: write rootfs/]);
    expect(exitCode).toBe(130);
  });

  test('twice ends at once; clean takes the rest', async () => {
    // A script that does not hear: the first Ctrl-C waits for it.
    write(shell('trap "" TERM INT HUP', 'echo waiting', 'while :; do sleep 1; done'));
    const { exitCode } = await interrupted([
      /one: waiting[^]*two: waiting|two: waiting[^]*one: waiting/,
      /Ctrl-C again/,
    ]);
    expect(exitCode).toBe(130);
    expect((await ws.run('clean')).exitCode).toBe(0);
  });
});
