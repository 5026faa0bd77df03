import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';

/** Objects of a state by their addresses: `aws_vpc.main`, `module.m.data.type.name["key"]`, `output.name`. */
type Objects = ReadonlyMap<string, unknown>;

/**
 * What an address with its attribute (`aws_vpc.main.id`, `output.hosts[0]`) leads to in a Terraform state of version 4;
 * undefined where it leads nowhere. Addresses are those of `terraform state list`, as tfstate-lookup reads them.
 */
export function lookupState(state: unknown, address: string): unknown {
  if (!isMap(state) || state.version !== 4) {
    const version = isMap(state) ? JSON.stringify(state.version) : 'none';
    throw new IngotError(
      'secrets/bad-document',
      `this is no Terraform state of version 4 (version ${version})`,
      {
        hint: 'Write the state with Terraform 0.12 or newer, or with OpenTofu.',
      },
    );
  }
  const objects = new Map<string, unknown>([...outputs(state.outputs), ...resources(state.resources)]);
  if (objects.has(address)) return objects.get(address);
  const owner = longestPrefix(objects, address);
  if (owner === undefined) return undefined;
  let value = objects.get(owner);
  for (const key of keysOf(address.slice(owner.length), address)) {
    if (Array.isArray(value) && typeof key === 'number') value = value.at(key);
    else if (isMap(value) && Object.hasOwn(value, String(key))) value = value[String(key)];
    else return undefined;
  }
  return value;
}

function* outputs(all: unknown): Generator<[string, unknown]> {
  for (const [name, output] of Object.entries(isMap(all) ? all : {}))
    yield [`output.${name}`, valueOf(output)];
}

/** The value of an output, which stands beside its type. */
function valueOf(output: unknown): unknown {
  const isTyped = isMap(output) && (output.value ?? null) !== null && (output.type ?? null) !== null;
  return isTyped ? output.value : output;
}

function* resources(all: unknown): Generator<[string, unknown]> {
  for (const resource of Array.isArray(all) ? all : []) {
    if (!isMap(resource) || (resource.mode !== 'managed' && resource.mode !== 'data')) continue;
    const { module, mode, type, name, instances } = resource;
    const inModule = typeof module === 'string' && module !== '' ? `${module}.` : '';
    const address = `${inModule}${mode === 'data' ? 'data.' : ''}${String(type)}.${String(name)}`;
    const each = (Array.isArray(instances) ? instances : []).filter(isMap);
    const [first] = each;
    if (!first) continue;
    if (mode === 'data' && type === 'terraform_remote_state') {
      const attributes = Object.entries(isMap(first.attributes) ? first.attributes : {});
      yield [address, Object.fromEntries(attributes.map(([key, value]) => [key, valueOf(value)]))];
    } else if (each.length === 1 && first.index_key === undefined) {
      yield [address, attributesOf(first)];
    } else {
      yield* indexed(address, each);
    }
  }
}

/** Instances made by count or for_each: each by its index, and all of them under the plain address. */
function* indexed(
  address: string,
  instances: readonly Readonly<Record<string, unknown>>[],
): Generator<[string, unknown]> {
  const list: unknown[] = [];
  const map = new Map<string, unknown>();
  for (const instance of instances) {
    const { index_key: index } = instance;
    if (typeof index !== 'number' && typeof index !== 'string') continue;
    const attributes = attributesOf(instance);
    yield [`${address}[${JSON.stringify(index)}]`, attributes];
    if (typeof index === 'string') map.set(index, attributes);
    else if (Number.isInteger(index) && index >= 0 && index < instances.length) list[index] = attributes;
  }
  yield [address, list.length > 0 ? Array.from(list, (value) => value ?? null) : Object.fromEntries(map)];
}

function attributesOf(instance: Readonly<Record<string, unknown>>): unknown {
  return instance.attributes ?? instance.attributes_flat ?? null;
}

/** The longest address that the wanted one begins with and goes on from by `.` or `[`. */
function longestPrefix(objects: Objects, address: string): string | undefined {
  return [...objects.keys()]
    .filter((name) => address.startsWith(name) && /^[.[]/.test(address.slice(name.length)))
    .sort((a, b) => b.length - a.length)[0];
}

const KEY = /\.([A-Za-z_][\w-]*)|\.?\[(?:(-?\d+)|"([^"]*)")\]/y;

/** Keys of `.a.b-c[0]["d"]`. Throws `secrets/bad-reference`. */
function keysOf(path: string, address: string): (string | number)[] {
  const keys: (string | number)[] = [];
  KEY.lastIndex = 0;
  while (KEY.lastIndex < path.length) {
    const match = KEY.exec(path);
    if (!match) {
      throw new IngotError('secrets/bad-reference', `the address ${address} can't be read`, {
        hint: 'Write it as in `terraform state list`, with the attribute behind it: aws_vpc.main.id.',
      });
    }
    const [, name, index, quoted] = match;
    keys.push(index === undefined ? ((name ?? quoted) as string) : Number(index));
  }
  return keys;
}
