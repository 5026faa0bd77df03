import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { vmBase } from '../machines/vm-base.ts';
import { finished, Workspace } from './ingot.ts';
import { contentsOf, qemuProject } from './qemu-project.ts';

// In `npm run test:faults` alone: a build of a machine takes a minute, and is begun five times.
describe.runIf(process.env.INGOT_FAULTS === 'long')('a build in a VM, killed', () => {
  let ws: Workspace;
  let base: string;
  beforeAll(() => {
    ws = new Workspace();
    base = vmBase(ws.root);
    rmSync(ws.project, { recursive: true });
    mkdirSync(ws.project);
    qemuProject(ws.project, base);
    appendFileSync(ws.path('harden.sh'), 'echo hardened\n');
  });
  afterAll(() => ws?.remove());

  test.each([
    ['while the machine boots', /the machine boots/],
    ['while a provisioner runs', /Setting up web-page/],
    ['while the last provisioner runs', /hardened/],
    ['while the image is sealed', /==> .*seal/],
    ['while the output is written', /==> .*write qcow2/],
  ])('%s, leaves nothing that clean does not take', async (_when, after) => {
    const build = ws.start('build', '.');
    let reached = false;
    build.stdout?.on('data', (text: string) => {
      if (reached || !after.test(text)) return;
      reached = true;
      process.kill(build.pid as number, 'SIGKILL');
    });
    const { stdout } = await finished(build);
    expect(reached, stdout).toBe(true);
    const cleaned = await ws.run('clean');
    expect(cleaned.exitCode, cleaned.stderr).toBe(0);
    expect(ws.residue()).toEqual([]);
  });

  test.each([
    ['while the copy boots', /^/, undefined],
    ['while the command runs', /reached/, "echo rea''ched; exec sleep 600"],
  ])('Ctrl-C of ingot test --exec %s ends both, with 130', async (_when, after, command = 'true') => {
    const child = ws.start('test', base, '--exec', command);
    const ended = finished(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (text: string) => void (said += text));
    const machine = (): boolean => ws.residue().some((line) => line.includes('qemu-system'));
    while (child.exitCode === null && !(machine() && after.test(said))) await sleep(100);
    // As a terminal does it: to all that run there.
    process.kill(-(child.pid as number), 'SIGINT');
    const { exitCode, stderr } = await ended;
    expect(exitCode, stderr).toBe(130);
    expect(ws.residue()).toEqual([]);
  });

  test('the next build stands on what was whole', async () => {
    const { images } = await ws.build();
    expect(images[0]).toMatchObject({ status: 'done' });
    expect(images[0]?.steps.cached).toBeGreaterThan(0);
    const { files, packages } = await contentsOf(ws.path('out/packer-web'), ['/srv/www/index.html']);
    expect(files).toEqual({ '/srv/www/index.html': '<h1>a page</h1>\n' });
    expect(packages).toContainEqual('web-page 1.0 install ok installed');
  });
});
