import type { QemuCommand } from './qemu-command.ts';

/** An option of the user: its name, and its value where it has one. */
export type QemuOverride = readonly [name: string, value?: string];

/** Options of which ours stay beside the user's: without them there is no disk, no way in and no monitor. */
const OURS: ReadonlySet<string> = new Set([
  '-blockdev',
  '-device',
  '-netdev',
  '-chardev',
  '-mon',
  '-object',
  '-serial',
  '-vnc',
]);

/** QEMU's short ways to say something else; both together are no command line. */
const LONG: Readonly<Record<string, QemuOverride>> = { '-enable-kvm': ['-accel', 'kvm'] };

/** The user's options by the names that ours have. */
function longForm([name, value]: QemuOverride): QemuOverride {
  const single = name.replace(/^--/, '-');
  if (single === '-M') return value === undefined ? ['-machine'] : ['-machine', value];
  return LONG[single] ?? (value === undefined || value === '' ? [single] : [single, value]);
}

/** What the last `name=` of a list says: `b` in `x=a,x=b`. */
function property(list: string, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}=([^,]*)(?!.*,${name}=)`).exec(list)?.[1];
}

/** The type of machine that the options name, as `type=pc` or at the beginning. */
export function machineOf(overrides: QemuCommand['overrides']): string | undefined {
  const given = overrides?.map(longForm).findLast(([name]) => name === '-machine')?.[1];
  if (given === undefined) return undefined;
  return property(given, 'type') ?? (/^[^,=]+(?=,|$)/.exec(given)?.[0] || undefined);
}

/**
 * Packer's rule for `qemuargs`: a name that the user gives at all is the user's alone. But the machine stays reachable:
 * disk, monitor and console are ours beside theirs; a user-mode network of theirs gets our forwarded port in place of a
 * second one; and a card of theirs on a network that nobody made is on ours.
 */
export function overridden(ours: readonly string[], given: NonNullable<QemuCommand['overrides']>): string[] {
  const options = optionsOf(ours);
  const theirs = given.map(longForm);
  const network = networkOf(options, theirs);
  const machine = options.find(([name]) => name === '-machine')?.[1] ?? '';
  const taken = new Set(theirs.map(([name]) => name));
  // QEMU knows two places for the accelerator, and refuses to hear of it in both.
  if (theirs.some(([name, value = '']) => name === '-machine' && property(value, 'accel') !== undefined))
    taken.add('-accel');
  const kept = network.ours.filter(([name]) => !taken.has(name) || OURS.has(name));
  const added = network.theirs.map((option): QemuOverride => {
    const [name, value] = option;
    return name === '-machine' && value !== undefined ? [name, machineWith(value, machine)] : option;
  });
  return [...kept, ...added].flatMap(([name, value]) => (value === undefined ? [name] : [name, value]));
}

function optionsOf(args: readonly string[]): QemuOverride[] {
  const options: QemuOverride[] = [];
  for (let i = 0; i < args.length; i++) {
    const value = args[i + 1];
    if (value === undefined || value.startsWith('-')) options.push([args[i] as string]);
    else options.push([args[i++] as string, value]);
  }
  return options;
}

/** Their machine with what ours has to have: a type, where they name none, and its firmware. */
function machineWith(theirs: string, ours: string): string {
  const type = machineOf([['-machine', theirs]]) === undefined ? [/^[^,]*/.exec(ours)?.[0] as string] : [];
  const flash = ['pflash0', 'pflash1']
    .filter((name) => property(ours, name) !== undefined && property(theirs, name) === undefined)
    .map((name) => `${name}=${property(ours, name)}`);
  return [...type, theirs, ...flash].join(',');
}

/** One network and one card, as far as theirs are of the kind of ours: a guest with two has two default routes. */
function networkOf(
  ours: readonly QemuOverride[],
  theirs: readonly QemuOverride[],
): { readonly ours: readonly QemuOverride[]; readonly theirs: readonly QemuOverride[] } {
  const own = ours.find(([name]) => name === '-netdev')?.[1];
  if (own === undefined) return { ours, theirs };
  const ownId = property(own, 'id') as string;
  const cards = theirs.flatMap(([name, value = '']) =>
    name === '-device' ? (property(value, 'netdev') ?? []) : [],
  );
  const ids = theirs.flatMap(([name, value = '']) =>
    name === '-netdev' ? (property(value, 'id') ?? []) : [],
  );
  const isOwnCard = ([name, value = '']: QemuOverride): boolean =>
    name === '-device' && property(value, 'netdev') === ownId;
  const user = theirs.find(
    ([name, value = '']) =>
      name === '-netdev' && /^user(?:,|$)/.test(value) && property(value, 'id') !== undefined,
  );
  if (user) {
    const id = property(user[1] as string, 'id') as string;
    const more = own
      .split(',')
      .filter((part) => /^(?:hostfwd|restrict)=/.test(part))
      .map((part) => `,${part}`)
      .join('');
    return {
      ours: ours
        .filter((option) => option[0] !== '-netdev' && !(isOwnCard(option) && cards.includes(id)))
        .map((option) => (isOwnCard(option) ? rename(option, 'netdev', id) : option)),
      theirs: theirs.map((option) => (option === user ? [option[0], `${option[1]}${more}`] : option)),
    };
  }
  const missing = cards.find((id) => !ids.includes(id));
  if (missing === undefined) return { ours, theirs };
  return {
    ours: ours
      .filter((option) => !isOwnCard(option))
      .map((option) => (option[0] === '-netdev' ? rename(option, 'id', missing) : option)),
    theirs,
  };
}

function rename([name, value = '']: QemuOverride, key: string, to: string): QemuOverride {
  return [
    name,
    value.replace(new RegExp(`(^|,)${key}=[^,]*`), (_all, before: string) => `${before}${key}=${to}`),
  ];
}
