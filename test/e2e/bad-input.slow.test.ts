import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, finished, Workspace } from './ingot.ts';
import { Mirror } from './mirror.ts';
import { SmallDisk } from './small-disk.ts';

// What can go wrong from outside while an image is built: each is told with its place and its remedy, ends with the
// exit code of its kind, and leaves nothing behind. One image, built once, stands below all of them.

interface TemplateOptions {
  readonly packages?: readonly string[];
  readonly mirror?: string;
}

const template = ({ packages = ['iproute2'], mirror }: TemplateOptions = {}): string => `
source "mmdebstrap" "base" {
  suite    = "bookworm"
  packages = ${JSON.stringify(packages)}
  kernel   = "linux-image-cloud-amd64"
  ${mirror === undefined ? '' : `mirrors = ["${mirror}"]`}
}

build {
  name    = "web"
  sources = ["source.mmdebstrap.base"]

  provisioner "shell" {
    script = "setup.sh"
  }
}
`;
/** Where systemd-nspawn keeps a folder a container, named by our pid. */
const CONTAINERS = '/run/systemd/nspawn/propagate';
const containersOf = (pid: number | undefined): string[] =>
  readdirSync(CONTAINERS).filter((name) => name.includes(`-${pid}-`));
const SOURCE_LINE = 11;
const SCRIPT_LINE = 13;
const image = (compression: string): string => `image "web" {
  version = "1.0.0"
  output "qcow2" { compression = "${compression}" }
}
`;
const script = (...lines: string[]): string => `#!/bin/sh -e\n${lines.join('\n')}\n`;
const GOOD = script('echo good');

let ws: Workspace;
let disk: SmallDisk;

const write = (name: string, text: string): void => writeFileSync(ws.path(name), text);

/** The project and its cache as they are after a build that went well. */
function reset(): void {
  write('web.pkr.hcl', template());
  write('web.ingot.hcl', image('none'));
  write('setup.sh', GOOD);
  disk.free();
}

beforeAll(async () => {
  ws = new Workspace();
  disk = new SmallDisk(ws.env.INGOT_CACHE_DIR as string, '4g');
  reset();
  await ws.build();
});
afterAll(() => {
  disk[Symbol.dispose]();
  ws.remove();
});
beforeEach(reset);
afterEach(() => {
  expect(ws.residue()).toEqual([]);
});

/** A cache without layers, which has fetched everything; disposed, it has those that it had. */
function layersAside(): Disposable {
  const layers = join(disk.dir, 'layers');
  renameSync(layers, `${layers}.aside`);
  return {
    [Symbol.dispose]() {
      rmSync(layers, { recursive: true, force: true });
      renameSync(`${layers}.aside`, layers);
    },
  };
}

/** What the user reads at the end: standard error, which holds nothing of a defect of ours. */
function told({ exitCode, stderr }: Finished, code: string, expected = 1): string {
  expect(stderr).toContain(`[${code}]`);
  expect(stderr).not.toMatch(/defect of Ingot|^\s+at /m);
  expect(exitCode).toBe(expected);
  return stderr;
}

describe('a full disk', () => {
  const full = async (...args: string[]): Promise<string> =>
    told(await ws.run('build', ...args, '.'), 'host/no-space');

  test.each([1, 250])('while packages are unpacked, with %i MiB left', async (mebibytes) => {
    using _aside = layersAside();
    disk.leave(mebibytes);
    const message = await full();
    expect(message).toContain(`no space is left on the disk of the cache ${disk.dir}`);
    expect(message).toContain('ingot cache prune');
    expect(message).toContain(`web.pkr.hcl:${SOURCE_LINE}:`);
    expect(message).toContain('INGOT_CACHE_DIR');
  });

  test('while a provisioner runs', async () => {
    write('setup.sh', script('head -c 300M /dev/zero > /srv/big'));
    disk.leave(50);
    const message = await full();
    expect(message).toContain(`web.pkr.hcl:${SCRIPT_LINE}:`);
    expect(message).toContain('provisioner "shell" {');
  });

  test('while the disk is assembled, and while it is exported', async () => {
    write('setup.sh', script('echo other'));
    disk.leave(150);
    expect(await full()).toContain(disk.dir);
    disk.free();
    await ws.build();
    write('web.ingot.hcl', image('zstd'));
    disk.leave(40);
    expect(await full()).toContain('web.ingot.hcl:3:');
  });

  test('where the outputs go', async () => {
    using small = new SmallDisk(join(ws.root, 'small'), '8m');
    expect(await full('--output-dir', small.dir)).toContain(`the outputs in ${small.dir}`);
    expect(readdirSync(small.dir)).toEqual([]);
  });

  test('while inputs are pinned; the lock stays as it was', async () => {
    write('web.pkr.hcl', template({ packages: ['iproute2', 'netbase'] }));
    const lock = readFileSync(ws.path('ingot.lock.json'), 'utf8');
    const apt = join(disk.dir, 'apt');
    renameSync(apt, `${apt}.aside`);
    try {
      disk.leave(20);
      expect(await full()).toContain(`web.pkr.hcl:${SOURCE_LINE}:`);
    } finally {
      rmSync(apt, { recursive: true });
      renameSync(`${apt}.aside`, apt);
    }
    expect(readFileSync(ws.path('ingot.lock.json'), 'utf8')).toBe(lock);
  });

  test('the cache is whole afterwards: the next build runs nothing', async () => {
    expect((await ws.build()).images[0]?.steps.ran).toBe(0);
  });
});

describe('the archive', () => {
  test('does not answer when inputs are pinned', async () => {
    write('web.pkr.hcl', template({ packages: ['netbase'], mirror: 'http://127.0.0.1:9/debian' }));
    const message = told(await ws.run('build', '.'), 'apt/mirror-unreachable');
    expect(message).toContain('http://127.0.0.1:9/debian/dists/bookworm/InRelease');
    expect(message).toContain('mirrors = […]');
    expect(message).toContain(`web.pkr.hcl:${SOURCE_LINE}:`);
  });

  test('stops to answer in the middle of a build, whose inputs are locked by then', async () => {
    using mirror = await Mirror.start();
    mirror.dies = (path) => path.includes('/pool/') && path.includes('hello');
    write('web.pkr.hcl', template({ packages: ['hello'], mirror: mirror.url }));
    const message = told(await ws.run('build', '.'), 'apt/mirror-unreachable');
    expect(message).toMatch(/127\.0\.0\.1:\d+\/debian\/pool\/main\/h\/hello/);
    expect(readFileSync(ws.path('ingot.lock.json'), 'utf8')).toContain('"hello"');
  });

  test('stops to answer while a provisioner installs', async () => {
    using mirror = await Mirror.start();
    mirror.dies = (path) => path.includes('/pool/');
    write('web.pkr.hcl', template({ mirror: mirror.url }));
    write('setup.sh', script('apt-get -q update', 'apt-get -q install --yes hello'));
    const result = await ws.run('build', '.');
    told(result, 'provisioner/script-failed');
    expect(result.stdout).toMatch(/127\.0\.0\.1:\d+\/debian\/pool\/\S+ could not be fetched/);
  });

  test('has no such package: the nearest name is told', async () => {
    write('web.pkr.hcl', template({ packages: ['openssh-sevrer'] }));
    const message = told(await ws.run('build', '.'), 'apt/no-package');
    expect(message).toContain('"openssh-sevrer"');
    expect(message).toContain('Did you mean "openssh-server"?');
    expect(message).toContain(`web.pkr.hcl:${SOURCE_LINE}:`);
  });

  test('is not signed by whom it should be', async () => {
    using mirror = await Mirror.start();
    mirror.alter = (text) => text.replace('Origin: Debian', 'Origin: Nobody');
    write('web.pkr.hcl', template({ packages: ['netbase'], mirror: mirror.url }));
    const message = told(await ws.run('build', '.'), 'apt/bad-signature');
    expect(message).toContain('the signature does not fit the content');
    expect(message).toContain(mirror.url);
    expect(message).toContain(`web.pkr.hcl:${SOURCE_LINE}:`);
  });
});

describe('the script', () => {
  test('fails: its line and its last output are shown', async () => {
    write('setup.sh', script('echo one', 'echo two >&2', 'no-such-command --at-all', 'echo never'));
    const result = await ws.run('build', '.');
    const message = told(result, 'provisioner/script-failed');
    expect(message).toContain('setup.sh ended with exit code 127');
    expect(message).toContain('line 4: no-such-command --at-all');
    expect(message).toContain(`web.pkr.hcl:${SCRIPT_LINE}:`);
    expect(message).toContain('Is its package installed by then?');
    for (const line of ['one', 'two']) expect(result.stdout).toContain(line);
    expect(result.stdout).not.toContain('never');
  });
});

describe('the machine', () => {
  test('gives us no root: told before anything is fetched', async () => {
    const cache = join(ws.root, 'nobody');
    mkdirSync(cache);
    const env = ['env', `INGOT_CACHE_DIR=${cache}`];
    // As nobody, who may read the checkout of whoever runs the tests.
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const may = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
    const message = told(await ws.runBy([...nobody, ...may, ...env], 'build', '.'), 'host/not-root');
    expect(message).toContain('user 65534');
    expect(message).toContain('sudo');
    expect(readdirSync(cache, { recursive: true }).filter((n) => String(n).includes('blobs'))).toEqual([]);
  });

  test('lacks a tool: its package is told, and doctor has the one command for all', async () => {
    const hide = (...tools: string[]): string[] => {
      const mounts = tools.map((tool) => `mount --bind /dev/null /usr/bin/${tool}`);
      return ['unshare', '--mount', 'sh', '-c', `${mounts.join(' && ')} && exec "$@"`, 'sh'];
    };
    write('web.ingot.hcl', image('zlib'));
    const message = told(await ws.runBy(hide('qemu-img'), 'build', '.'), 'host/missing-tool');
    expect(message).toContain('qemu-img');
    expect(message).toContain('apt-get install qemu-utils');
    const doctor = await ws.runBy(hide('qemu-img', 'zstd', 'systemd-nspawn'), 'doctor');
    expect(doctor.exitCode).toBe(1);
    const install = /apt-get install -y (.*)$/m.exec(doctor.stdout)?.[1]?.split(' ').sort();
    expect(install).toEqual(['qemu-utils', 'systemd-container', 'zstd']);
  });
});

describe('the user', () => {
  /** Starts a build and gives it a signal once it has printed `after`. */
  async function signalled(signal: NodeJS.Signals, after: RegExp): Promise<Finished> {
    const child = ws.start('build', '.');
    const whenPrinted = (text: string): void => {
      if (!after.test(text)) return;
      child.stdout?.off('data', whenPrinted);
      process.kill(child.pid as number, signal);
    };
    child.stdout?.on('data', whenPrinted);
    const result = await finished(child);
    expect(containersOf(child.pid)).toEqual([]);
    return result;
  }

  test.each([
    ['SIGINT', 'while packages are unpacked', /Preparing/],
    ['SIGINT', 'while a script runs', /waiting/],
    ['SIGTERM', 'while a script runs', /waiting/],
    ['SIGHUP', 'while a script runs', /waiting/],
  ] as const)('stops us by %s %s', async (signal, when, after) => {
    using _aside = when.includes('packages') ? layersAside() : undefined;
    write('setup.sh', script('echo waiting', 'sleep 300'));
    const { exitCode, stdout, stderr } = await signalled(signal, after);
    expect(exitCode).toBe(130);
    expect(stderr).toBe('interrupted\n');
    expect(stdout).toContain('stopping; Ctrl-C again to stop at once');
    expect(stdout).not.toMatch(/error|suppressed|\babort/i);
  });

  test('keeps the machine of a failed step with -on-error=abort, until ingot clean', async () => {
    write('setup.sh', script('echo half > /srv/half', 'exit 3'));
    const result = await ws.run('build', '-on-error=abort', '.');
    told(result, 'provisioner/script-failed');
    expect(result.stdout).toContain('take it away with `ingot clean`');
    const root = /--directory=(\S+)/.exec(result.stdout)?.[1] as string;
    expect(readFileSync(join(root, 'srv/half'), 'utf8')).toBe('half\n');
    expect(ws.residue()).not.toEqual([]);
    const cleaned = await ws.run('clean');
    expect(cleaned.stdout).toContain(`recovered mount ${root}`);
    expect(cleaned.exitCode).toBe(0);
  });

  describe('is asked with -on-error=ask', () => {
    /** Runs the build in a terminal of its own, and types `keys` one by one, each at a question. */
    async function answering(...keys: string[]): Promise<Finished> {
      const ingot = ws.startInTerminal('build', '-on-error=ask', '.');
      ingot.stdout?.on('data', (text: string) => {
        if (text.includes('[c/a/r]')) ingot.stdin?.write(keys.shift() ?? '\u0003');
      });
      return await finished(ingot);
    }
    const asked = ({ stdout }: Finished): number => stdout.split('[r] retry the step?').length - 1;

    test('and cleans up, or tries again', async () => {
      write('setup.sh', script('exit 3'));
      const result = await answering('x\r', 'r\r', 'c\r');
      expect(result.exitCode).toBe(1);
      expect(asked(result)).toBe(2);
      expect(result.stdout).toContain('[provisioner/script-failed]');
    });

    test('and leaves the machine', async () => {
      write('setup.sh', script('exit 3'));
      const result = await answering('a\r');
      expect(result.exitCode).toBe(1);
      expect(result.stdout).toContain('the machine is left as it was');
      expect(ws.residue()).not.toEqual([]);
      await ws.run('clean');
    });

    test('and answers with Ctrl-C', async () => {
      write('setup.sh', script('exit 3'));
      const result = await answering('\u0003');
      expect(result.exitCode).toBe(130);
      expect(asked(result)).toBe(1);
    });
  });
});

// The last: they empty the cache.
describe('ingot clean', () => {
  test('takes what was half fetched by a killed build, and folders of nobody', async () => {
    using mirror = await Mirror.start();
    let stalled = false;
    mirror.stalls = (path) => path.endsWith('.deb') && (stalled = true);
    write('web.pkr.hcl', template({ packages: ['gcc'], mirror: mirror.url }));
    const build = ws.start('build', '.');
    const partial = join(disk.dir, 'apt/partial');
    const deadline = Date.now() + 60_000;
    while (!(stalled && readdirSync(partial).length > 0) && Date.now() < deadline) await sleep(5);
    // A stranger's and an old one, as a build before the last start of the machine would have left them.
    mkdirSync(join(disk.dir, 'tmp/build-00000000-0000/container'), { recursive: true });
    process.kill(build.pid as number, 'SIGKILL');
    await finished(build);
    const left = readdirSync(partial);
    expect(left).not.toEqual([]);
    const container = join(CONTAINERS, `ingot-bootstrap-${build.pid}-0`);
    mkdirSync(container, { recursive: true });
    const { stdout, exitCode } = await ws.run('clean');
    expect(exitCode).toBe(0);
    expect(containersOf(build.pid)).toEqual([]);
    expect(stdout).toContain(`recovered file ${join(partial, left[0] as string)}`);
    expect(stdout).toContain(`recovered directory ${join(disk.dir, 'tmp/build-00000000-0000')}`);
  });

  test('--all empties the caches, though not under a running build', async () => {
    write('setup.sh', script('echo waiting', 'sleep 300'));
    const build = ws.start('build', '.');
    const ended = finished(build);
    await new Promise<void>((done) => {
      build.stdout?.on('data', (text: string) => void (/waiting/.test(text) && done()));
    });
    const refused = await ws.run('clean', '--all');
    told(refused, 'app/in-use');
    expect(refused.stderr).toContain(`process ${build.pid}`);
    process.kill(build.pid as number, 'SIGTERM');
    expect((await ended).exitCode).toBe(130);
    const cleaned = await ws.run('clean', '--all');
    expect(cleaned.exitCode).toBe(0);
    expect(readdirSync(disk.dir)).toEqual([]);
  });
});
