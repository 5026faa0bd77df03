import type { LockedApt } from '../../core/lock.ts';
import type { Stanza } from './control.ts';
import { PRIORITIES, type Variant } from './options.ts';

/** Public names of Debian's archives: what an image asks for updates, wherever it was built. */
const PUBLIC: Readonly<Record<string, string>> = {
  debian: 'http://deb.debian.org/debian',
  'debian-security': 'http://deb.debian.org/debian-security',
};

/** `/etc/apt/sources.list.d/debian.sources` for the suites of a lock entry (sources.list(5), deb822 format). */
export function debianSources(entry: LockedApt): string {
  return Object.entries(PUBLIC)
    .flatMap(([archive, url]) => {
      const suites = entry.suites.filter((suite) => suite.archive === archive);
      if (suites.length === 0) return [];
      const components = [...new Set(suites.flatMap((suite) => suite.components))];
      return [
        [
          'Types: deb',
          `URIs: ${url}`,
          `Suites: ${suites.map((suite) => suite.suite).join(' ')}`,
          `Components: ${components.join(' ')}`,
          'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
          '',
        ].join('\n'),
      ];
    })
    .join('\n');
}

/**
 * `/var/lib/apt/extended_states`: packages that are only there because others need them, which
 * `apt-get autoremove` may take away again. Those of the variant and those asked for are not.
 */
export function extendedStates(
  packages: readonly { readonly name: string; readonly control: Stanza }[],
  variant: Variant,
  asked: ReadonlySet<string>,
): string {
  const priorities = PRIORITIES[variant];
  return packages
    .filter(({ name, control }) => {
      const ofVariant = name === 'apt' || priorities.includes(control.get('Priority') ?? '');
      return !ofVariant && !asked.has(name);
    })
    .map(
      ({ name, control }) =>
        `Package: ${name}\nArchitecture: ${aptArchitecture(control)}\nAuto-Installed: 1\n\n`,
    )
    .join('');
}

/** apt keeps packages for all architectures under the system's own. */
function aptArchitecture(control: Stanza): string {
  const architecture = control.get('Architecture') ?? 'all';
  return architecture === 'all' ? 'amd64' : architecture;
}
