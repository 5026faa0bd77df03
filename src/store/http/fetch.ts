import { hasProxy } from './proxy-variables.ts';

/**
 * fetch() as it is, through the proxies of the environment (docs/proxy.md). All that Ingot fetches with it goes through
 * here. Throws `store/bad-proxy`, `store/proxy-refused`, and what fetch() throws.
 */
export async function fetch(input: string | URL, init: RequestInit = {}): Promise<Response> {
  if (!hasProxy(process.env)) return await globalThis.fetch(input, init);
  const { fetchThrough } = await import('./fetch-through.ts');
  return await fetchThrough(new URL(input), init);
}
