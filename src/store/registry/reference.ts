import { type Digest, isDigest } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';

/** An image in a registry. */
export interface ImageReference {
  /** Host, with its port where one was written. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/**
 * `host[:port]/repository[:tag][@digest]` (distribution-spec, "Pulling manifests"). As Docker reads it: a first part
 * that has neither dot nor colon and is not `localhost` belongs to the repository, which is then on Docker Hub; without
 * tag and digest the tag is `latest`. Throws `store/bad-reference`.
 */
export function parseImageReference(text: string): ImageReference {
  const bad = (what: string): IngotError =>
    new IngotError('store/bad-reference', `"${text.slice(0, 200)}" names no image: ${what}`, {
      hint: 'Write host/repository:tag or host/repository@sha256:…, for example registry.example.org/team/web:1.2.',
    });
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw bad('behind @ should be sha256: and 64 hex digits');
  let rest = at < 0 ? text : text.slice(0, at);
  const colon = rest.lastIndexOf(':');
  let tag: string | undefined;
  if (colon > rest.lastIndexOf('/')) {
    tag = rest.slice(colon + 1);
    rest = rest.slice(0, colon);
    if (!TAG.test(tag)) throw bad(`the tag "${tag.slice(0, 60)}" is none`);
  }
  const slash = rest.indexOf('/');
  const first = rest.slice(0, Math.max(slash, 0));
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  const host = hasHost ? first : 'docker.io';
  const path = hasHost ? rest.slice(slash + 1) : rest;
  const repository = host === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  if (!HOST.test(host)) throw bad(`"${host.slice(0, 60)}" is no host`);
  if (!REPOSITORY.test(repository) || repository.length > 255)
    throw bad(`"${path.slice(0, 60)}" is no repository`);
  if (tag === undefined && digest === undefined) tag = 'latest';
  return { host, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** Where the registry's API is: Docker Hub answers under another name than it is called by. */
export function apiHost(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}
