import { IngotError } from '../core/error.ts';
import { notConfigured } from './refusal.ts';

/** The address of a service: http or https. `from` names where it was given. Throws `secrets/not-configured`. */
export function serviceUrl(backend: string, text: string, from: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // told below
  }
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw notConfigured(
    backend,
    `${from} is ${JSON.stringify(text)}, which is no address`,
    'Give one such as https://vault.example.com:8200.',
  );
}

/**
 * `path` below a service's address. Its parts are encoded, so that they can't lead elsewhere or add a query. Throws
 * `secrets/bad-reference` for a path that is empty or has `.` or `..`.
 */
export function below(base: URL, root: string, path: string): URL {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0 || parts.some((part) => part === '.' || part === '..')) {
    throw new IngotError('secrets/bad-reference', `${JSON.stringify(path)} is no path of a secret`, {
      hint: 'Write the path without "." and "..".',
    });
  }
  const url = new URL(base);
  url.search = '';
  url.hash = '';
  const start = `${url.pathname.replace(/\/+$/, '')}/${root}`.replace(/\/+$/, '');
  url.pathname = `${start}/${parts.map(encodeURIComponent).join('/')}`;
  return url;
}
