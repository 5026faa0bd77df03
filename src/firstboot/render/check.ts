import { type Diagnostic, startOf } from '../../core/diagnostic.ts';
import { suggestion } from '../../template/nearest.ts';
import { embeddedFiles } from './embedded-files.ts';
import { CLOUD_CONFIG, type Part } from './part.ts';
import { readYaml, type YamlText } from './read-yaml.ts';
import type { CloudInitSchemas } from './schemas.ts';
import { searchMap, searchPart, type SearchSecrets } from './search-part.ts';

/** Everything that is wrong with a part of user-data or vendor-data. */
export function checkPart(part: Part, schemas: CloudInitSchemas, search: SearchSecrets): Diagnostic[] {
  const found = searchPart(part.name, part.text, search);
  if (part.type !== CLOUD_CONFIG) return found;
  const yaml = readYaml(part.name, part.text, found);
  if (!yaml) return found;
  // An empty #cloud-config is none; cloud-init says so, and goes on.
  if (yaml.value === null || yaml.value === undefined) return found;
  if (typeof yaml.value !== 'object' || Array.isArray(yaml.value)) {
    const message = `${part.name} holds no map: expected lines such as hostname: web1`;
    return [...found, { code: 'render/schema', severity: 'error', message, range: yaml.rangeOf([]) }];
  }
  const unread = embeddedFiles(yaml.value)
    .filter(({ content }) => !content)
    .map(({ path }) => unreadable(`${part.name}: write_files ${path}`, part.name));
  return [...found, ...unread, ...schemas.cloudConfig.check(yaml), ...unknownTop(yaml, schemas)];
}

/** What cannot be unpacked cannot be searched, and cloud-init would not write it. */
function unreadable(name: string, file: string): Diagnostic {
  return {
    code: 'render/bad-part',
    severity: 'error',
    message: `${name} can't be unpacked by its encoding`,
    range: startOf(file),
    hint: 'Give the text itself, or gzip of at most 4 MiB of text; large files belong into the image.',
  };
}

/** A document of meta-data or values: YAML, a map, and no secret in it. */
export function checkMap(
  name: string,
  text: string,
  search: SearchSecrets,
  found: Diagnostic[],
): YamlText | undefined {
  found.push(...searchMap(name, text, search));
  const yaml = readYaml(name, text, found);
  if (!yaml) return undefined;
  if (typeof yaml.value === 'object' && yaml.value !== null && !Array.isArray(yaml.value)) return yaml;
  found.push({
    code: 'render/schema',
    severity: 'error',
    message: `${name} holds no map`,
    range: startOf(name),
    hint: 'Write a line a key: instance-id: db1.',
  });
  return undefined;
}

/** A network-config without the `network:` around it, which is netplan's way and which NoCloud does not read. */
export function unwrapNetwork(yaml: YamlText): YamlText {
  const { network, ...others } = yaml.value as { network?: unknown };
  const isMap = typeof network === 'object' && network !== null && !Array.isArray(network);
  if (!isMap || Object.keys(others).length > 0) return yaml;
  return { ...yaml, value: network, rangeOf: (path, what) => yaml.rangeOf(['network', ...path], what) };
}

/** Everything that is wrong with a network-config. */
export function checkNetwork(yaml: YamlText, schemas: CloudInitSchemas): Diagnostic[] {
  const { version } = yaml.value as { version?: unknown };
  if (version === 1 || version === 2) return schemas.network(version).check(yaml);
  return [
    {
      code: 'render/schema',
      severity: 'error',
      message: `${yaml.name} has ${version === undefined ? 'no version' : `version ${JSON.stringify(version)}`}; expected 1 or 2`,
      range: yaml.rangeOf(['version']),
      hint: 'version: 2 is that of netplan.',
    },
  ];
}

/** cloud-init passes over keys that no module of it reads. */
function unknownTop(yaml: YamlText, schemas: CloudInitSchemas): Diagnostic[] {
  const known = schemas.cloudConfig.topKeys();
  return Object.keys(yaml.value as object)
    .filter((key) => !known.has(key) && !OTHERS.has(key) && !key.startsWith('x-'))
    .map(
      (key) =>
        ({
          code: 'render/unknown-key',
          severity: 'warning',
          message: `${key} is no key of cloud-init ${schemas.version}, which passes over it`,
          range: yaml.rangeOf([key], 'key'),
          hint: suggestion(
            key,
            known,
            'Remove it, or start its name with x- to say that it is for others.',
          ) as string,
        }) as const,
    );
}

/** Read by cloud-init itself, not by a module: not in the schema of 22.4. */
const OTHERS = new Set(
  `cloud_config_modules cloud_final_modules cloud_init_modules datasource datasource_list debug def_log_file launch-index
  log_cfgs merge_how merge_type network no_ssh_fingerprints output reporting swap syslog_fix_perms system_info vendor_data
  vendor_data2 warnings`.split(/\s+/),
);
