import { startOf } from '../../core/diagnostic.ts';
import { type GossResource, optionTimeout } from './resource.ts';
import { RESOURCE_TYPES } from './resource-types.ts';
import { ElsewhereError, FactError, type System } from './system.ts';
import { type GoValue, isList, Reader, ReaderError, Strings } from './values.ts';

/** Attributes as a goss file writes them. */
export type Described = Readonly<Record<string, unknown>>;

/** What is worth writing down of a thing; the rest changes with every update or asserts too much. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  addr: ['reachable'],
  command: ['exit-status', 'stdout', 'stderr'],
  dns: ['resolvable', 'addrs'],
  file: ['exists', 'mode', 'owner', 'group', 'filetype', 'linked-to'],
  group: ['exists', 'gid'],
  http: ['status'],
  'kernel-param': ['value'],
  mount: ['exists', 'filesystem'],
  package: ['installed', 'versions'],
  port: ['listening', 'ip'],
  process: ['running'],
  service: ['enabled', 'running'],
  user: ['exists', 'uid', 'gid', 'groups', 'home', 'shell'],
};

/** Types that `add` knows. */
export const DESCRIBED_TYPES: readonly string[] = Object.keys(ATTRIBUTES);

/** Types that `autoadd` tries, and what says that there is such a thing. */
const AUTOMATIC = [
  ['file', 'exists'],
  ['group', 'exists'],
  ['package', 'installed'],
  ['port', 'listening'],
  ['process', 'running'],
  ['service', undefined],
  ['user', 'exists'],
] as const;

/** Where things are looked for. */
export interface Surroundings {
  readonly system: System;
  hasService(name: string): boolean;
  /** Ports that processes of a name listen on, as goss files name them; none without a booted copy. */
  portsOf(process: string): Promise<readonly string[]>;
}

/** A thing as a goss file names it. */
export interface DescribedThing {
  readonly type: string;
  readonly name: string;
  readonly described: Described;
}

/** The state of one thing as a goss file would demand it. What can't be seen is left out. */
export async function describeThing(type: string, name: string, system: System): Promise<Described> {
  const resource = resourceOf(type, name);
  const described: Record<string, unknown> = {};
  for (const attribute of ATTRIBUTES[type] ?? []) {
    const value = await factIfSeen(resource, attribute, system);
    if (value === undefined) continue;
    const written = plain(value);
    // An empty list would assert nothing; an empty text says that a command is silent.
    if (!(Array.isArray(written) && written.length === 0)) described[attribute] = written;
    else if (type === 'command') described[attribute] = '';
    if (value === false && attribute !== 'enabled') break;
  }
  if (type === 'command') described['timeout'] = optionTimeout(resource, 10_000);
  return described;
}

/** Every kind of thing with this name that is there, and the ports that such a process listens on. */
export async function describeAll(name: string, around: Surroundings): Promise<DescribedThing[]> {
  const { system } = around;
  const found: DescribedThing[] = [];
  const add = async (type: string, its: string): Promise<void> => {
    if (!found.some((thing) => thing.type === type && thing.name === its))
      found.push({ type, name: its, described: await describeThing(type, its, system) });
  };
  for (const [type, sign] of AUTOMATIC) {
    if ((type === 'file') !== name.startsWith('/')) continue;
    const isThere =
      sign === undefined
        ? around.hasService(name)
        : (await factIfSeen(resourceOf(type, name), sign, system)) === true;
    if (!isThere) continue;
    await add(type, fullName(type, name));
    if (type === 'process') for (const port of await around.portsOf(name)) await add('port', port);
  }
  return found;
}

/** The name that goss gives a thing: `80` is `tcp:80`. */
export function fullName(type: string, name: string): string {
  if (type === 'port' && !name.includes(':')) return `tcp:${name}`;
  return type === 'addr' && !name.includes('://') ? `tcp://${name}` : name;
}

function resourceOf(type: string, name: string): GossResource {
  if (!RESOURCE_TYPES.has(type)) throw new TypeError(`no resource type ${type}`);
  return {
    type,
    key: name,
    attributes: new Map(),
    range: startOf(''),
    attributeRanges: new Map(),
  };
}

async function factIfSeen(
  resource: GossResource,
  attribute: string,
  system: System,
): Promise<GoValue | undefined> {
  try {
    return await system.fact(resource, attribute);
  } catch (error) {
    if (error instanceof FactError || error instanceof ElsewhereError) return undefined;
    throw error;
  }
}

function plain(value: GoValue): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Strings) return [...value.items];
  if (value instanceof Reader) return linesOf(value);
  return isList(value) ? value.map(plain) : value;
}

/** Lines as patterns: what would be a pattern's sign is escaped. */
function linesOf(reader: Reader): string[] {
  try {
    return [...reader.lines()]
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .map((line) => (/^[!/]/.test(line) ? `\\${line}` : line));
  } catch (error) {
    if (error instanceof ReaderError) return [];
    throw error;
  }
}
