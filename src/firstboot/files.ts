import type { FirstBootOptions } from './config.ts';

/** Files on the host that a `first_boot` block reads, relative to the template folder. */
export function firstBootFiles(o: FirstBootOptions): string[] {
  const scripts = o.command.flatMap(({ script }) => (script === undefined ? [] : [script]));
  const templates = [...o.file, ...o.service.flatMap(({ file }) => file)].map(({ template }) => template);
  return [...new Set([...o.cloud_init, ...scripts, ...templates])];
}
