import { SafeRegExp } from '../template/index.ts';

/**
 * Whole texts that match a pattern of `*` (any text without a slash), `**` (any text) and `?` (one character that is no
 * slash); in time that grows with pattern × text.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const source = pattern.replace(/\*\*|[*?]|[\\.+^$(){}[\]|]/g, (part) => {
    if (part === '**') return '(?s:.*)';
    if (part === '*') return '[^/]*';
    return part === '?' ? '[^/]' : `\\${part}`;
  });
  const regexp = new SafeRegExp(`\\A${source}\\z`);
  return (text) => regexp.find(text) !== undefined;
}
