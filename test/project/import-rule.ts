import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { withoutComments } from './source-files.ts';

const shared = ['core', 'host', 'store', 'template'];
const services = ['machines', 'secrets', 'disk', 'release'];
const plugins = [
  'sources',
  'provisioners',
  'post-processors',
  'data-sources',
  'seal',
  'checks',
  'scan',
  'policy',
  'firstboot',
  'fleet',
];

/** Rooms of src/ and the other rooms that each may import: ARCHITECTURE.md, "Who may import whom". */
const mayImport: ReadonlyMap<string, readonly string[]> = new Map([
  ['core', []],
  ['host', ['core']],
  ['store', ['core']],
  ['template', ['core']],
  ...services.map((room): [string, readonly string[]] => [room, shared]),
  ...plugins.map((room): [string, readonly string[]] => [room, [...shared, ...services]]),
  ['stamp', ['core']],
  ['plan', ['core', 'template']],
  ['engine', ['core', 'template', 'plan']],
  ['app', [...shared, ...services, ...plugins, 'stamp', 'plan', 'engine']],
  ['reporters', ['core']],
  ['cli', ['core', 'app', 'reporters']],
  ['web', ['core', 'app', 'reporters']],
]);

/** Rooms where every file or folder at the top is a plugin, or is shared by the room (listed here). */
const pluginFolders = ['sources', 'provisioners', 'post-processors', 'data-sources'];

/** Processes start in host/ alone; the rest of what may be spawned goes through core's Host. */
const processModules = ['node:child_process', 'node:cluster', 'execa'];

/** What a file imports, static, dynamic and for types. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const found: string[] = [];
  for (const pattern of [
    /^(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^import\s*['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ]) {
    for (const match of code.matchAll(pattern)) found.push(match[1] as string);
  }
  return found;
}

/** What is wrong with the imports of `file` (a path like `src/plan/types.ts`). */
export function breaches(file: string, text: string, isPlugin: (path: string) => boolean): string[] {
  const found: string[] = [];
  const room = file.split('/')[1] as string;
  const allowed = mayImport.get(room);
  if (allowed === undefined) return [`${file}: src/${room} is no room of the house`];
  for (const specifier of importsOf(text)) {
    if (!specifier.startsWith('.')) {
      if (builtinModules.includes(specifier)) found.push(`${file}: write node:${specifier}`);
      if (processModules.includes(specifier) && room !== 'host') {
        found.push(`${file}: only host/ starts processes, but this imports ${specifier}`);
      }
      continue;
    }
    const target = join(dirname(file), specifier);
    if (!specifier.endsWith('.ts')) found.push(`${file}: ${specifier} needs its extension .ts`);
    const targetRoom = target.split('/')[1] as string;
    if (!target.startsWith('src/')) found.push(`${file}: ${specifier} leads out of src/`);
    else if (targetRoom !== room && !allowed.includes(targetRoom)) {
      found.push(`${file}: ${room} may not import ${targetRoom} (${specifier})`);
    } else if (targetRoom === room && pluginFolders.includes(room)) {
      if (isPlugin(target) && pluginName(target) !== pluginName(file)) {
        found.push(`${file}: plugins never import each other (${specifier})`);
      }
    }
  }
  return found;
}

/** `shell` of src/provisioners/shell.ts and of src/provisioners/shell/script.ts. */
function pluginName(path: string): string {
  return (path.split('/')[2] as string).replace(/\.ts$/, '');
}
