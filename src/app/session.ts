import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import type { SecretResolver } from '../core/context.ts';
import { createOnce } from '../core/create-once.ts';
import type { Sources } from '../core/diagnostic.ts';
import { IngotError } from '../core/error.ts';
import type { Emit } from '../core/event.ts';
import type { Host } from '../core/host.ts';
import { createHost } from '../host/create-host.ts';
import { proxySecrets } from '../store/http/proxy-variables.ts';
import { createMask, type Mask, maskingEmit } from './mask.ts';
import { type Paths, pathsFrom } from './paths.ts';

/** What every use case gets from the command line or the web. */
export interface Deps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Told the texts that were read, for the excerpts of errors thrown later. */
  readonly addSources?: (sources: Sources) => void;
}

/** The machine and the folders that a use case works with. */
export interface Session {
  readonly host: Host;
  readonly paths: Paths;
  readonly clock: Clock;
  readonly secrets: SecretResolver;
  /** Hides in all that `emit` tells what it is told of: sensitive variables, and secrets that were fetched. */
  readonly mask: Mask;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly addSources: (sources: Sources) => void;
}

/** Opens the session of one command. Touches nothing but the lease folder. */
export function openSession(deps: Deps, env: NodeJS.ProcessEnv = process.env): Session {
  const paths = pathsFrom(env);
  const mask = createMask(proxySecrets(env));
  const emit = maskingEmit(deps.emit, mask);
  let resolver: Promise<SecretResolver> | undefined;
  const openResolver = async (): Promise<SecretResolver> => {
    const { referenceResolver } = await import('./reference-resolver.ts');
    return referenceResolver(env, deps.signal, mask);
  };
  return {
    host: createHost({ leaseDir: paths.leases, emit }),
    paths,
    clock: systemClock,
    secrets: { resolve: async (reference) => (await (resolver ??= openResolver())).resolve(reference) },
    mask,
    emit,
    signal: deps.signal,
    addSources: deps.addSources ?? (() => {}),
  };
}

/**
 * The key under which sensitive values enter digests. Made once; never leaves this machine. Where there may be no cache, it
 * holds for this run: looking at a template needs no folder of one's own.
 */
export function hmacKey(paths: Paths): Uint8Array {
  const path = join(paths.cacheDir, 'hmac.key');
  const key = readOrMake(path);
  if (key.length !== 32) {
    throw new IngotError('app/bad-key', `${path} holds ${key.length} bytes, expected 32`, {
      hint: 'Delete it; steps with sensitive values will run again.',
    });
  }
  return key;
}

function readOrMake(path: string): Uint8Array {
  const make = (): Buffer => randomBytes(32);
  try {
    mkdirSync(dirname(path), { recursive: true });
    return createOnce(path, make);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isForbidden = code === 'EACCES' || code === 'EROFS' || code === 'EPERM';
    if (!isForbidden || existsSync(path)) throw error;
    return make();
  }
}
