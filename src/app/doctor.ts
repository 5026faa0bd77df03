import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { detectAcceleration } from '../host/acceleration.ts';
import { pathsFrom } from './paths.ts';
import { isInstalled, systemPackages } from './system-packages.ts';

export interface DoctorCheck {
  readonly name: string;
  /** `bad`: builds fail. `note`: works, with the drawback that is named. */
  readonly status: 'good' | 'note' | 'bad';
  readonly detail: string;
  readonly remedy?: string;
}

export interface DoctorReport {
  readonly checks: readonly DoctorCheck[];
  /** Missing system packages. */
  readonly missing: readonly string[];
  /** The one command that installs them all. */
  readonly install?: string;
  readonly ok: boolean;
}

const GIB = 1024 ** 3;
/** A build of a small server image with one output fits in this. */
const WANTED_DISK = 5 * GIB;
const WANTED_MEMORY = 2 * GIB;

/** `ingot doctor`: what this machine has of what a build needs. Looks only; for tools in the folders of `toolPath`. */
export async function doctor(env: NodeJS.ProcessEnv, toolPath?: string): Promise<DoctorReport> {
  const packages = systemPackages().map((entry) => ({ entry, there: isInstalled(entry, toolPath) }));
  const missing = packages.filter(({ there }) => !there).map(({ entry }) => entry.name);
  const checks: DoctorCheck[] = [
    nodeCheck(process.versions.node),
    rootCheck(),
    overlayCheck(),
    aptCheck(),
    await diskCheck(pathsFrom(env).cacheDir),
    memoryCheck(),
    await accelerationCheck(),
    ...packages.map(
      ({ entry, there }): DoctorCheck => ({
        name: entry.name,
        status: there ? 'good' : 'bad',
        detail: there ? entry.purpose : `missing (${entry.probe}): ${entry.purpose}`,
      }),
    ),
  ];
  return {
    checks,
    missing,
    ...(missing.length > 0 && { install: `apt-get update && apt-get install -y ${missing.join(' ')}` }),
    ok: checks.every((check) => check.status !== 'bad'),
  };
}

/** The floor is the `engines` entry of package.json. */
function nodeCheck(version: string): DoctorCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  if (good) return { name: 'node', status: 'good', detail: version };
  return { name: 'node', status: 'bad', detail: version, remedy: 'Install Node 20.19 or newer.' };
}

function rootCheck(): DoctorCheck {
  const uid = process.getuid?.();
  if (uid === 0) return { name: 'root', status: 'good', detail: 'mounts and containers can be made' };
  return {
    name: 'root',
    status: 'bad',
    detail: `user id ${uid}; mounting filesystems and starting containers needs root`,
    remedy: 'Run ingot build as root; init, fmt, validate, lookup and release need no root.',
  };
}

function overlayCheck(): DoctorCheck {
  const known = readFileSync('/proc/filesystems', 'utf8').split('\n');
  const there = known.some((line) => line.endsWith('\toverlay'));
  if (there) return { name: 'overlayfs', status: 'good', detail: 'layers can be mounted' };
  return {
    name: 'overlayfs',
    status: 'note',
    detail: 'not loaded; the kernel loads it at the first mount, where it has the module',
    remedy: 'modprobe overlay',
  };
}

function aptCheck(): DoctorCheck {
  const there = ['/etc/apt/sources.list', '/etc/apt/sources.list.d'].some((path) => existsSync(path));
  if (there)
    return { name: 'apt sources', status: 'good', detail: 'the mirror of this machine is the default' };
  return {
    name: 'apt sources',
    status: 'note',
    detail: 'none on this machine',
    remedy: 'Give the source "mmdebstrap" its mirror.',
  };
}

async function diskCheck(cacheDir: string): Promise<DoctorCheck> {
  let folder = cacheDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const detail = `${(free / GIB).toFixed(1)} GiB free for ${cacheDir}`;
  if (free >= WANTED_DISK) return { name: 'disk', status: 'good', detail };
  return {
    name: 'disk',
    status: 'note',
    detail: `${detail}; a build may need ${WANTED_DISK / GIB} GiB`,
    remedy: 'Free some space with `ingot cache prune`, or put the cache elsewhere: INGOT_CACHE_DIR.',
  };
}

function memoryCheck(): DoctorCheck {
  const detail = `${(totalmem() / GIB).toFixed(1)} GiB, ${(freemem() / GIB).toFixed(1)} GiB unused`;
  if (totalmem() >= WANTED_MEMORY) return { name: 'memory', status: 'good', detail };
  return {
    name: 'memory',
    status: 'note',
    detail: `${detail}; booting an image takes 1 GiB`,
    remedy: 'Give the machine 2 GiB or more.',
  };
}

async function accelerationCheck(): Promise<DoctorCheck> {
  const { accel, reason } = await detectAcceleration();
  return { name: 'acceleration', status: accel === 'kvm' ? 'good' : 'note', detail: reason };
}
