import { instanceOf, isTemplate, type UnitFile, type UnitFiles, withInstance } from './unit-files.ts';

/** The links that enabling a unit makes; `undefined` where they depend on the machine (%H, %m, …). */
export function linksOf(units: UnitFiles, name: string): readonly string[] | undefined {
  const links = new Set<string>();
  const seen = new Set<string>();
  const todo = [name];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const unit = units.unit(next);
    if (!unit) continue;
    const own = ownLinks(units, unit);
    const also = expandAll(unit.install.also, next);
    if (!own || !also) return undefined;
    for (const link of own) links.add(link);
    todo.push(...also);
  }
  return [...links];
}

/** Links of the unit itself, without those of the units in its Also=. */
function ownLinks(units: UnitFiles, unit: UnitFile): string[] | undefined {
  const { install } = unit;
  let name = unit.name;
  if (isTemplate(name)) {
    // A template is enabled as its default instance, or not at all.
    if (install.defaultInstance === undefined) return [];
    name = withInstance(name, install.defaultInstance);
  }
  const instance = instanceOf(name);
  const wants = [
    ...install.wantedBy.map((target) => [target, 'wants'] as const),
    ...install.requiredBy.map((target) => [target, 'requires'] as const),
    ...install.upheldBy.map((target) => [target, 'upholds'] as const),
  ];
  const links: string[] = [];
  for (const [target, kind] of wants) {
    const expanded = expand(target, name);
    if (expanded === undefined) return undefined;
    links.push(`${units.etc}/${expanded}.${kind}/${name}`);
  }
  for (const word of install.alias) {
    const alias = expand(word, name);
    if (alias === undefined) return undefined;
    const full = isTemplate(alias) && instance !== undefined ? withInstance(alias, instance) : alias;
    if (full !== name) links.push(`${units.etc}/${full}`);
  }
  return links;
}

function expandAll(words: readonly string[], name: string): string[] | undefined {
  const expanded = words.map((word) => expand(word, name));
  return expanded.includes(undefined) ? undefined : (expanded as string[]);
}

/** Fills the specifiers that follow from the unit's name (systemd.unit(5), "Specifiers"). */
function expand(word: string, name: string): string | undefined {
  const stem = name.slice(0, name.lastIndexOf('.'));
  const prefix = stem.split('@')[0] ?? stem;
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    n: name,
    N: stem,
    p: prefix,
    j: prefix.slice(prefix.lastIndexOf('-') + 1),
    i: instanceOf(name) ?? '',
  };
  let known = true;
  const filled = word.replace(/%(.?)/gs, (_all, letter: string) => {
    if (Object.hasOwn(values, letter)) return values[letter] as string;
    known = false;
    return '';
  });
  return known ? filled : undefined;
}
