import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseControl, words } from './control.ts';

/** One source of binary packages in apt's configuration. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** A line `deb [options] URI suite component…` (sources.list(5)); undefined for comments, `deb-src` and the like. */
export function parseOneLine(line: string): AptSource | undefined {
  const text = line.replace(/#.*/, '').trim();
  const start = /^deb\s+(?:\[[^\]]*\])?/.exec(text)?.[0];
  if (start === undefined) return undefined;
  const [uri, suite, ...components] = words(text.slice(start.length));
  return uri === undefined || suite === undefined ? undefined : { uris: [uri], suites: [suite], components };
}

/** The one-line format of sources.list(5). */
export function parseSourcesList(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => parseOneLine(line) ?? []);
}

/** The deb822 format of sources.list(5). Disabled and source-only paragraphs are left out. */
export function parseDeb822Sources(text: string): AptSource[] {
  return parseControl(text).flatMap((stanza) => {
    const fields = new Map([...stanza].map(([name, value]) => [name.toLowerCase(), value]));
    if (/^(no|false|without|off|disable|0)$/i.test(fields.get('enabled') ?? 'yes')) return [];
    if (!words(fields.get('types')).includes('deb')) return [];
    return [
      {
        uris: words(fields.get('uris')),
        suites: words(fields.get('suites')),
        components: words(fields.get('components')),
      },
    ];
  });
}

/** What the host's apt uses: `sources.list`, then `sources.list.d` in the order of names. */
export function readHostSources(etcApt = '/etc/apt'): AptSource[] {
  const found: AptSource[] = [];
  const main = join(etcApt, 'sources.list');
  if (existsSync(main)) found.push(...parseSourcesList(readFileSync(main, 'utf8')));
  const parts = join(etcApt, 'sources.list.d');
  for (const name of existsSync(parts) ? readdirSync(parts).sort() : []) {
    if (name.endsWith('.list')) found.push(...parseSourcesList(readFileSync(join(parts, name), 'utf8')));
    if (name.endsWith('.sources')) found.push(...parseDeb822Sources(readFileSync(join(parts, name), 'utf8')));
  }
  return found;
}
