import { IngotError } from '../../core/error.ts';

export function badImage(what: string, cause?: unknown): IngotError {
  return new IngotError('disk/bad-image', `this image cannot be used: ${what}`, {
    hint: 'Check the reference and the platform; `skopeo inspect --raw` shows what is there.',
    ...(cause !== undefined && { cause }),
  });
}
