import type { Digest } from '../core/digest.ts';
import { IngotError } from '../core/error.ts';
import type { LockedImage } from '../core/lock.ts';
import type { PinContext } from '../core/plugin.ts';

/** What the lock says under a key of an image, where that was asked for in these words. */
export function lockedImage(request: Digest, ctx: PinContext, key = ctx.step): LockedImage | undefined {
  const entry = ctx.lock.entries[key];
  return entry?.kind === 'image' && entry.request === request ? entry : undefined;
}

/** As `lockedImage`, as far as the lock is to be kept. `what`: for the error `source/not-locked`, when nothing new may be locked. */
export function keptImage(
  request: Digest,
  what: string,
  ctx: PinContext,
  key = ctx.step,
): LockedImage | undefined {
  const locked = ctx.mode === 'update' ? undefined : lockedImage(request, ctx, key);
  if (locked || ctx.mode !== 'locked') return locked;
  throw new IngotError('source/not-locked', `the lock does not say which ${what} is`, {
    hint: 'Build once without --locked, or run `ingot update`, and commit ingot.lock.json.',
  });
}
