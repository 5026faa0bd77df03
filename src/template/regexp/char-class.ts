import { type CharClass, PatternError } from './syntax.ts';

type Ranges = readonly (readonly [number, number])[];

const span = (from: string, to = from): readonly [number, number] => [
  from.codePointAt(0) as number,
  to.codePointAt(0) as number,
];

const DIGIT: Ranges = [span('0', '9')];
const WORD: Ranges = [...DIGIT, span('A', 'Z'), span('_'), span('a', 'z')];
const SPACE: Ranges = [span('\t', '\n'), span('\f', '\r'), span(' ')];

/** ASCII classes in brackets (RE2's syntax, "ASCII character classes"). */
export const POSIX: ReadonlyMap<string, Ranges> = new Map([
  ['alnum', [...DIGIT, span('A', 'Z'), span('a', 'z')]],
  ['alpha', [span('A', 'Z'), span('a', 'z')]],
  ['ascii', [[0, 0x7f]]],
  ['blank', [span('\t'), span(' ')]],
  [
    'cntrl',
    [
      [0, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ['digit', DIGIT],
  ['graph', [span('!', '~')]],
  ['lower', [span('a', 'z')]],
  ['print', [span(' ', '~')]],
  ['punct', [span('!', '/'), span(':', '@'), span('[', '`'), span('{', '~')]],
  ['space', [...SPACE, span('\v')]],
  ['upper', [span('A', 'Z')]],
  ['word', WORD],
  ['xdigit', [...DIGIT, span('A', 'F'), span('a', 'f')]],
]);

const PERL: Readonly<Record<string, Ranges>> = { d: DIGIT, w: WORD, s: SPACE };

/** `\d`, `\W` …; undefined for other letters. */
export function perlClass(letter: string): { ranges: Ranges; negated: boolean } | undefined {
  const ranges = PERL[letter.toLowerCase()];
  return ranges && { ranges, negated: letter !== letter.toLowerCase() };
}

/** All code points outside of the ranges. */
export function complement(ranges: Ranges): Ranges {
  const sorted = [...ranges].sort(([a], [b]) => a - b);
  const out: [number, number][] = [];
  let next = 0;
  for (const [from, to] of sorted) {
    if (from > next) out.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= 0x10ffff) out.push([next, 0x10ffff]);
  return out;
}

/** `\p{Greek}`, `\pL`: a general category or script. */
export function unicodeProperty(name: string, negated: boolean): RegExp {
  const inverse = name.startsWith('^');
  const plain = inverse ? name.slice(1) : name;
  const letter = negated === inverse ? 'p' : 'P';
  if (plain === 'Any') return letter === 'p' ? /^[^]$/u : /^(?!)$/u;
  for (const key of ['General_Category', 'Script']) {
    try {
      if (/^[A-Za-z_]+$/.test(plain)) return new RegExp(`^\\${letter}{${key}=${plain}}$`, 'u');
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  throw new PatternError(`there is no Unicode class ${JSON.stringify(name)}`);
}

/** Whether a code point is in the class. */
export function inClass(chars: CharClass, point: number): boolean {
  let found = holds(chars, point);
  if (!found && chars.fold) found = variants(point).some((p) => holds(chars, p));
  return found !== chars.negated;
}

function holds({ ranges, properties }: CharClass, point: number): boolean {
  for (const [from, to] of ranges) if (point >= from && point <= to) return true;
  if (properties.length === 0) return false;
  const text = String.fromCodePoint(point);
  return properties.some((p) => p.test(text));
}

/** The same letter in the other case. */
function variants(point: number): number[] {
  const text = String.fromCodePoint(point);
  return [text.toLowerCase(), text.toUpperCase()]
    .filter((t) => Array.from(t).length === 1)
    .map((t) => t.codePointAt(0) as number);
}
