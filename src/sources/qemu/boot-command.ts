/** One thing to do at the keyboard. `down` and `up` are X11 keysyms (RFC 6143, section 7.5.4). */
export type KeyAction =
  | { readonly kind: 'key'; readonly keysym: number; readonly press: 'tap' | 'down' | 'up' }
  | { readonly kind: 'wait'; readonly ms: number };

export interface ParsedBootCommand {
  readonly actions: readonly KeyAction[];
  /** What is wrong; then there are no actions. */
  readonly error?: string;
}

/** X11 keysyms (keysymdef.h) of the keys that Packer names. */
const KEYS: Readonly<Record<string, number>> = {
  bs: 0xff08,
  del: 0xffff,
  enter: 0xff0d,
  return: 0xff0d,
  esc: 0xff1b,
  tab: 0xff09,
  spacebar: 0x20,
  up: 0xff52,
  down: 0xff54,
  left: 0xff51,
  right: 0xff53,
  insert: 0xff63,
  home: 0xff50,
  end: 0xff57,
  pageup: 0xff55,
  pagedown: 0xff56,
  menu: 0xff67,
  leftalt: 0xffe9,
  rightalt: 0xffea,
  leftctrl: 0xffe3,
  rightctrl: 0xffe4,
  leftshift: 0xffe1,
  rightshift: 0xffe2,
  leftsuper: 0xffeb,
  rightsuper: 0xffec,
  ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i + 1}`, 0xffbe + i])),
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** Longer pauses are a mistake. */
const MOST_MS = 24 * 3_600_000;

/**
 * Reads one item of Packer's `boot_command` (developer.hashicorp.com/packer/docs/community-tools/boot-command):
 * characters, `<enter>`, `<leftShiftOn>`, `<wait>`, `<wait5>`, `<wait1m30s>`. What stands in angle brackets and is
 * no key is typed as it is, as Packer does.
 */
export function parseBootCommand(text: string): ParsedBootCommand {
  const actions: KeyAction[] = [];
  for (let at = 0; at < text.length; ) {
    const special = text[at] === '<' ? readSpecial(text, at) : undefined;
    if (special && 'error' in special) return { actions: [], error: special.error };
    if (special) {
      actions.push(special.action);
      at = special.end;
      continue;
    }
    const point = text.codePointAt(at) as number;
    actions.push({ kind: 'key', keysym: keysymOf(point), press: 'tap' });
    at += point > 0xffff ? 2 : 1;
  }
  return { actions };
}

type Special = { readonly action: KeyAction; readonly end: number } | { readonly error: string };

function readSpecial(text: string, at: number): Special | undefined {
  // The longest name is <rightSuperOff>.
  const close = text.indexOf('>', at);
  if (close === -1 || close - at > 40) return undefined;
  const name = text.slice(at + 1, close).toLowerCase();
  const end = close + 1;
  if (name.startsWith('wait')) {
    const ms = waitOf(name.slice(4));
    if (ms === undefined) return undefined;
    if (ms > MOST_MS) return { error: `<${name}> waits for more than a day` };
    return { action: { kind: 'wait', ms }, end };
  }
  const press = name.endsWith('on') ? 'down' : name.endsWith('off') ? 'up' : 'tap';
  const key = press === 'down' ? name.slice(0, -2) : press === 'up' ? name.slice(0, -3) : name;
  if (Object.hasOwn(KEYS, key)) return { action: { kind: 'key', keysym: KEYS[key] as number, press }, end };
  // One character that is held: <aOn>.
  if (press !== 'tap' && Array.from(key).length === 1)
    return { action: { kind: 'key', keysym: keysymOf(key.codePointAt(0) as number), press }, end };
  return undefined;
}

/** `` is one second, `5` five, and Go's durations what they say. */
function waitOf(text: string): number | undefined {
  if (text === '') return 1000;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    ms += Number(count) * (UNITS[unit as string] as number);
  return Math.round(ms);
}

/** Latin-1 is its own keysym; other characters of Unicode have 0x01000000 added; line ends are the Enter key. */
function keysymOf(point: number): number {
  if (point === 0x0a || point === 0x0d) return 0xff0d;
  if (point === 0x09) return 0xff09;
  return point < 0x100 ? point : 0x01000000 + point;
}
