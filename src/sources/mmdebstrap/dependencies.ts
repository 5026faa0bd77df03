import type { Stanza } from './control.ts';

/** A package's name and the paragraph that says what it needs. */
export interface Dependent {
  readonly name: string;
  readonly control: Stanza;
}

/** Names in a relationship field: of each alternative group, the alternatives in order (deb-control(5)). */
export function relations(field: string | undefined): string[][] {
  return (field ?? '')
    .split(',')
    .map((group) =>
      group
        .split('|')
        .map((alternative) => /^[a-z0-9][a-z0-9+.-]*/.exec(alternative.trim())?.[0] ?? '')
        .filter((name) => name !== ''),
    )
    .filter((group) => group.length > 0);
}

/** Who of a set of packages needs whom; packages outside it are as if they were not. */
export class DependencyGraph {
  readonly #packages = new Map<string, Stanza>();
  readonly #providers = new Map<string, string>();

  constructor(packages: readonly Dependent[]) {
    for (const { name, control } of packages) this.#packages.set(name, control);
    for (const { name, control } of packages) {
      for (const [provided] of relations(control.get('Provides'))) {
        if (provided !== undefined && !this.#providers.has(provided)) this.#providers.set(provided, name);
      }
    }
  }

  /** Packages that `name` names in a field, by their real names. */
  direct(name: string, field: 'Depends' | 'Pre-Depends'): string[] {
    return relations(this.#packages.get(name)?.get(field)).flatMap((group) => {
      const there = group.map((n) => (this.#packages.has(n) ? n : this.#providers.get(n)));
      return there.find((n) => n !== undefined) ?? [];
    });
  }

  /** The packages of `roots` and all that they need. */
  closure(roots: Iterable<string>): Set<string> {
    const found = new Set<string>();
    const queue = [...roots];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (found.has(name) || !this.#packages.has(name)) continue;
      found.add(name);
      queue.push(...this.direct(name, 'Pre-Depends'), ...this.direct(name, 'Depends'));
    }
    return found;
  }
}
