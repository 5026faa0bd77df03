import type { RequiredPlugin } from '../app/plugins.ts';

/** A line a plugin: what of it is built in, and what is not here. */
export function requiredPluginsText(plugins: readonly RequiredPlugin[]): string {
  if (plugins.length === 0) return 'The template requires no plugins.';
  return plugins
    .map(({ name, source, version, builtIn, missing, known }) => {
      const wanted = version === undefined ? '' : ` (${version})`;
      const parts = [
        builtIn.length > 0 ? `built in: ${builtIn.join(', ')}` : '',
        missing.length > 0 ? `not here: ${missing.join(', ')}` : '',
        known ? '' : 'not here: it is no plugin that Ingot knows',
      ].filter(Boolean);
      return `${name} ${source}${wanted}\n  ${parts.join('\n  ')}`;
    })
    .join('\n');
}
