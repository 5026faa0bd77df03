import { canonicalJson, digestOf, type Digest } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import type { LockedApt } from '../../core/lock.ts';
import type { OutdatedInput, PinContext, Pinned } from '../../core/plugin.ts';
import { wantedSuites } from './archives.ts';
import { rememberPlace } from './archive-memory.ts';
import { aptCache } from './blobs.ts';
import { parseOneLine, readHostSources } from './host-sources.ts';
import type { MmdebstrapOptions, Variant } from './options.ts';
import { resolve } from './resolve.ts';
import { fetchSuite } from './suites.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Boot loaders for the disk room, which places them without running them. */
const TOOLS = ['grub-common', 'grub-efi-amd64-bin', 'grub-efi-amd64-signed', 'grub-pc-bin', 'shim-signed'];

/** Resolves a source into the lock; see `Source.pin`. Without network and apt when the lock has it. */
export async function pin(options: MmdebstrapOptions, ctx: PinContext): Promise<Pinned<MmdebstrapOptions>> {
  if (options.arch !== 'amd64') {
    throw new IngotError('apt/arch', `arch "${options.arch}" cannot be built: images of amd64 only`, {
      hint: 'Set arch = "amd64" or leave it out.',
    });
  }
  const lockKey = lockKeyOf(ctx.step);
  const request = requestOf(options);
  let entry = ctx.lock.entries[lockKey];
  if (ctx.mode === 'update' || entry?.kind !== 'apt' || entry.request !== request) {
    if (ctx.mode === 'locked') throw notLocked(lockKey, entry !== undefined);
    entry = await resolveNow(options, request, ctx);
    ctx.lock.entries[lockKey] = entry;
  }
  const { suite, components, mirrors, snapshot } = options;
  await rememberPlace(request, { suite, components, mirrors, snapshot }, ctx);
  const { mirrors: _mirrors, keyring: _keyring, ...rest } = options;
  const locked: Digest = `sha256:${await aptCache(ctx).put(canonicalJson(entry))}`;
  return { options: { ...rest, locked } as MmdebstrapOptions, lockKey };
}

/** Compares the lock with the archive as it is now; see `Source.outdated`. */
export async function outdated(options: MmdebstrapOptions, ctx: PinContext): Promise<OutdatedInput[]> {
  const entry = ctx.lock.entries[lockKeyOf(ctx.step)];
  const request = requestOf(options);
  if (entry?.kind !== 'apt' || entry.request !== request)
    throw notLocked(lockKeyOf(ctx.step), entry !== undefined);
  const now = await resolveNow(options, request, ctx);
  const current = new Map(now.packages.map((p) => [p.name, p]));
  return entry.packages.flatMap((locked) => {
    const available = current.get(locked.name);
    if (!available || available.version === locked.version) return [];
    return [
      {
        name: locked.name,
        locked: locked.version,
        available: available.version,
        security: available.archive.endsWith('-security'),
      },
    ];
  });
}

async function resolveNow(options: MmdebstrapOptions, request: Digest, ctx: PinContext): Promise<LockedApt> {
  const cache = aptCache(ctx);
  const keyring = options.keyring ?? KEYRING;
  const snapshot = options.snapshot !== undefined;
  const fetched = await Promise.allSettled(
    wantedSuites({ ...options, hostSources: readHostSources }).map((wanted) =>
      fetchSuite({ wanted, arch: options.arch, keyring, snapshot }, cache, ctx),
    ),
  );
  // The first suite's error says most: the others follow from it.
  const suites = fetched.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
  const { packages, tools } = await resolve(
    suites,
    {
      arch: options.arch,
      variant: options.variant as Variant,
      packages: options.packages,
      implied: impliedPackages(options),
      tools: options.kernel === 'none' ? [] : TOOLS,
    },
    cache,
    ctx,
  );
  return { kind: 'apt', request, suites: suites.map((suite) => suite.locked), packages, tools };
}

/** A disk needs a kernel that finds its root, and an init; a booted container needs the init too. */
export function impliedPackages(options: MmdebstrapOptions): string[] {
  const init = ['systemd-sysv'];
  if (options.kernel !== 'none') return [options.kernel, 'initramfs-tools', ...init];
  return options.boot ? [...init, 'dbus'] : [];
}

/** Digest of what decides the resolution. Mirrors do not: every mirror has the same archive. */
function requestOf(options: MmdebstrapOptions): Digest {
  return digestOf({
    version: 1,
    suite: options.suite,
    components: options.components,
    packages: [...options.packages].sort(),
    arch: options.arch,
    variant: options.variant,
    kernel: options.kernel,
    snapshot: options.snapshot,
    boot: options.boot,
    // Suites of other archives, without their URLs.
    others: (options.mirrors ?? []).flatMap((mirror) => {
      const line = parseOneLine(mirror);
      return line ? [{ suites: line.suites, components: line.components }] : [];
    }),
  });
}

/** `mmdebstrap.web` of a label such as `mmdebstrap.web` or `mmdebstrap.web/…`. */
function lockKeyOf(step: string): string {
  return step.split('/')[0] ?? step;
}

function notLocked(key: string, present: boolean): IngotError {
  const why = present ? 'was locked for other options' : 'is not in the lock';
  return new IngotError('apt/not-locked', `source ${key} ${why}, and the lock may not be moved`, {
    hint: 'Run `ingot build` or `ingot update` without --locked and commit ingot.lock.json.',
  });
}
