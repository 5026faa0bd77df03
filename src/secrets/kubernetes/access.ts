import type { Tls } from '../http.ts';

/** How to reach an API server, and as whom. */
export interface Cluster {
  readonly url: URL;
  readonly tls: Tls;
  readonly headers: Headers;
}

/** As whom requests are made. */
export interface User extends Pick<Tls, 'cert' | 'key'> {
  readonly headers: Headers;
}

/** Of a request; those with several values are sent once for each. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** A map of a kubeconfig, or of what a program for it writes. */
export type Fields = Readonly<Record<string, unknown>>;

/** A field's text; undefined where it has none. */
export function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` };
}
