import { IngotError } from '../core/error.ts';

/**
 * How releases are named in a store. One repository an image name; in it the tag of a release is its version
 * (`+`, which tags cannot have, written `_`, as Helm does), and a channel is the tag `channel-<name>`.
 */
const CHANNEL_PREFIX = 'channel-';
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/;
const CHANNEL = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export function isChannelName(name: string): boolean {
  return CHANNEL.test(name);
}

/** Tag of a version. Throws `release/bad-version`. */
export function versionTag(version: string): string {
  if (!VERSION.test(version) || version.startsWith(CHANNEL_PREFIX)) {
    throw new IngotError('release/bad-version', `"${version.slice(0, 80)}" is no version of a release`, {
      hint: 'Up to 128 letters, digits and . _ + -, beginning with a letter or digit, and not with "channel-".',
    });
  }
  return version.replaceAll('+', '_');
}

/** The version that a tag stands for, for ordering; the release's manifest has the exact one. */
export function tagVersion(tag: string): string {
  return tag.replaceAll('_', '+');
}

/** Tag of a channel. Throws `release/bad-channel`. */
export function channelTag(name: string): string {
  if (!CHANNEL.test(name)) {
    throw new IngotError('release/bad-channel', `"${name.slice(0, 80)}" is no channel name`, {
      hint: 'Up to 100 letters, digits and . _ -, beginning with a letter or digit: dev, staging, prod.',
    });
  }
  return `${CHANNEL_PREFIX}${name}`;
}

export function channelOfTag(tag: string): string | undefined {
  return tag.startsWith(CHANNEL_PREFIX) ? tag.slice(CHANNEL_PREFIX.length) : undefined;
}

/** `web@1.2.0`, `web@dev` or `web`. Throws `release/bad-reference`. */
export function parseReference(text: string): { name: string; selector: string | undefined } {
  const match = /^([^@\s]+)(?:@([^@\s]+))?$/.exec(text);
  if (!match?.[1]) {
    throw new IngotError('release/bad-reference', `"${text.slice(0, 80)}" names no release`, {
      hint: 'Write name@version, name@channel, or name for its highest version: web@1.2.0, web@dev, web.',
    });
  }
  return { name: match[1], selector: match[2] };
}

/**
 * Orders versions: dotted numbers by value, a pre-release (`-rc.1`) before its release, as Semantic Versioning 2.0
 * section 11 has it; parts that are no numbers by code unit. Build metadata after `+` decides last.
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [split(a), split(b)];
  return (
    compareParts(x.core, y.core) ||
    Number(y.pre.length > 0) - Number(x.pre.length > 0) ||
    compareParts(x.pre, y.pre) ||
    compareText(a, b)
  );
}

function split(version: string): { core: string[]; pre: string[] } {
  const [plain = ''] = version.split('+');
  const dash = plain.indexOf('-');
  const core = dash < 0 ? plain : plain.slice(0, dash);
  return { core: core.split('.'), pre: dash < 0 ? [] : plain.slice(dash + 1).split('.') };
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const numbers = [x, y].map((part) => /^\d+$/.test(part));
    // Leading zeros aside, longer digits are larger: no number is too large for this.
    const [p, q] = [x.replace(/^0+(?=\d)/, ''), y.replace(/^0+(?=\d)/, '')];
    const order =
      numbers[0] && numbers[1]
        ? p.length - q.length || compareText(p, q)
        : Number(numbers[1]) - Number(numbers[0]) || compareText(x, y);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
