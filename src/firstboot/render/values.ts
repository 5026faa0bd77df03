import { type Diagnostic, startOf } from '../../core/diagnostic.ts';
import { type Json } from '../../core/digest.ts';
import { IngotError } from '../../core/error.ts';
import { record } from '../../template/value/json.ts';
import { readYaml } from './read-yaml.ts';

export type Values = Record<string, Json>;

const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** The values of a YAML file: a map by name. Findings are `render/bad-values`. */
export function readValues(file: string, text: string, found: Diagnostic[]): Values {
  const yaml = readYaml(file, text, found);
  if (!yaml || yaml.value === null || yaml.value === undefined) return record<Json>([]);
  const isMap = typeof yaml.value === 'object' && !Array.isArray(yaml.value);
  const entries = isMap ? Object.entries(yaml.value as Record<string, Json>) : [];
  const bad = entries.find(([name]) => !NAME.test(name));
  if (isMap && !bad) return record(entries);
  found.push({
    code: 'render/bad-values',
    severity: 'error',
    message: bad ? `${file} has the name ${JSON.stringify(bad[0])}` : `${file} holds no map`,
    range: bad ? yaml.rangeOf([bad[0]], 'key') : startOf(file),
    hint: 'A line a value: hostname: db1. Names are of letters, digits, _ and -.',
  });
  return record<Json>([]);
}

/** `name=value` of the command line, texts all. Throws `render/bad-values`. */
export function readSet(assignments: readonly string[]): Values {
  return record(
    assignments.map((text): [string, Json] => {
      const at = text.indexOf('=');
      const name = text.slice(0, Math.max(0, at));
      if (NAME.test(name)) return [name, text.slice(at + 1)];
      throw new IngotError('render/bad-values', `--set ${text}: expected NAME=VALUE`, {
        hint: 'Lists and maps come from a file: --values db1.yaml.',
        exitCode: 2,
      });
    }),
  );
}
