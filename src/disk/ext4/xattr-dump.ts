import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';

export interface Xattr {
  /** `security.capability` */
  readonly name: string;
  readonly value: Buffer;
}

/** Sorted by name. Paths as in tree.ts; files without attributes are left out. */
export type XattrsByPath = ReadonlyMap<string, readonly Xattr[]>;

/** Many images have none at all; one with a label on each file has some hundred bytes a file. */
const MOST_OUTPUT = 1024 ** 3;

/**
 * Prints the folder's number, then path, name and value in hex, a line for each attribute. Node has no calls for attributes; perl can make any
 * system call, knows their numbers on every architecture, and is there wherever mmdebstrap is.
 */
const SCRIPT = String.raw`
use strict; use warnings; use Errno;
require "syscall.ph";
my ($most, $number) = (65536, 0);
sub ask {
  my ($call, $path, @name) = @_;
  my $buffer = "\0" x $most;
  my $got = syscall($call, $path, @name, $buffer, $most);
  return substr $buffer, 0, $got if $got >= 0;
  return "" if $!{ENOTSUP} || $!{ENODATA};
  die "cannot read attributes of $path: $!\n";
}
sub show {
  my ($path) = @_;
  for my $name (split /\0/, ask(&SYS_llistxattr, $path)) {
    print join(" ", $number, map { unpack "H*", $_ } $path, $name, ask(&SYS_lgetxattr, $path, $name)), "\n";
  }
}
for my $top (@ARGV) {
  chdir $top or die "cannot enter $top: $!\n";
  my @folders = (".");
  show(".");
  while (defined(my $folder = pop @folders)) {
    opendir my $listing, $folder or die "cannot list $folder: $!\n";
    for (readdir $listing) {
      next if $_ eq "." || $_ eq "..";
      my $path = "$folder/$_";
      show($path);
      lstat $path or die "cannot see $path: $!\n";
      push @folders, $path if -d _;
    }
  }
  $number++;
}
`;

/** Reads the extended attributes (xattr(7)) of whole trees, file capabilities and access lists among them. */
export async function dumpXattrs(
  dirs: readonly string[],
  ctx: Pick<Context, 'host' | 'signal'>,
): Promise<XattrsByPath[]> {
  const { stdout } = await ctx.host.run('perl', ['-e', SCRIPT, '--', ...dirs], {
    maxBytes: MOST_OUTPUT,
    signal: ctx.signal,
  });
  return parseDump(stdout, dirs.length);
}

/** Reads what the script printed of `count` folders. */
export function parseDump(text: string, count: number): XattrsByPath[] {
  const all = Array.from({ length: count }, () => new Map<string, Xattr[]>());
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const match = /^(\d+) ((?:[0-9a-f]{2})+) ((?:[0-9a-f]{2})+) ((?:[0-9a-f]{2})*)$/.exec(line);
    const found = all[Number(match?.[1])];
    if (!match || !found)
      throw new IngotError(
        'disk/bad-xattr',
        `expected a folder's number, and path, name and value in hex; got ${line.slice(0, 80)}`,
      );
    const [path, name, value] = match.slice(2).map((part) => Buffer.from(part, 'hex')) as [
      Buffer,
      Buffer,
      Buffer,
    ];
    const key = path.toString('latin1').replace(/^\.\/?/, '');
    const attributes = found.get(key) ?? [];
    found.set(key, attributes);
    attributes.push({ name: name.toString('latin1'), value });
  }
  for (const found of all)
    for (const attributes of found.values()) attributes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return all;
}
