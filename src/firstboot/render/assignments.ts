import { isHarmlessInText, isSecretName } from './secret-names.ts';

/** A secret's name with a value behind it. */
export interface Assignment {
  readonly name: string;
  /** From 1. */
  readonly line: number;
}

const NAME = String.raw`([A-Za-z_][\w.-]*)`;
const QUOTED = String.raw`"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'`;
/** Up to a blank or what ends a word in a shell; with a bracket in it, it is code. */
const WORD = '([^\\s"\'`,;|&<>(){}\\[\\]=-][^\\s"\'`,;|&<>(){}\\[\\]]*)(?=[\\s,;|&}\\]\'"\\\\]|$)';
/** As YAML takes it: all of the line, but no block and no list. */
const REST = '([^\\s"\'|>&*{\\[%#`@][^\\n]*?)';

/** A name and a value, in the ways of shells, YAML, JSON, INI and options of commands. Groups: name, then values. */
const NAMED: readonly RegExp[] = [
  // PASSWORD=x, --password=x, ?token=x
  new RegExp(String.raw`(?<![\w.$-])(?:--)?${NAME}=(?:${QUOTED}|${WORD})`, 'g'),
  // password = x
  new RegExp(String.raw`^[ \t]*${NAME}[ \t]+:?=[ \t]*(?:${QUOTED}|${WORD})`, 'gm'),
  // password: x
  new RegExp(
    String.raw`^[ \t]*(?:-[ \t]+)?["']?${NAME}["']?[ \t]*:[ \t]+(?:${QUOTED}|${REST})[ \t]*,?$`,
    'gm',
  ),
  // {"password": "x"}, {password: x}
  new RegExp(String.raw`[{,][ \t]*["']?${NAME}["']?[ \t]*:[ \t]*(?:${QUOTED}|${WORD})`, 'g'),
  new RegExp(String.raw`^[ \t]*["']${NAME}["'][ \t]*:(?:${QUOTED})`, 'gm'),
  // --password x
  new RegExp(String.raw`(?<=\s)--${NAME}[ \t]+(?:${QUOTED}|${WORD})`, 'g'),
];

/** What needs no name: addresses, headers, `curl -u`, passwords for chpasswd, .netrc. Group: the value. */
const UNNAMED: readonly (readonly [string, RegExp])[] = [
  ['an address', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>{}()]*:([^\s:/@"'<>{}()]+)@[\w[]/gi],
  ['Authorization', /\bauthorization["']?[ \t]*:[ \t]*["']?(?:bearer|basic|token)[ \t]+([^\s"'\\]+)/gi],
  ['--user', /\b(?:curl|wget)\b[^\n|;&]*\s(?:-u|--user)[ =]?["']?[^\s:"'$-][^\s:"']*:([^\s"']+)/g],
  [
    'chpasswd',
    /\b(?:echo|printf)[ \t]+(?:-\w+[ \t]+)*["']?[a-z_][\w.-]*:([^\s"'|\\]+)[^|\n]*\|[^|\n]*\bchpasswd\b/g,
  ],
  ['password', /\blogin[ \t]+\S+[ \t]+password[ \t]+(\S+)/g],
];

/** Languages whose words without quotes are names. */
const CODE = /^#!.*\b(?:python|perl|ruby|node|php)|^#part-handler/;
const COMMENT = /^[ \t]*(?:#|;|\/\/)/;
/** A longer line is searched in pieces, since a regular expression may take the square of its length. */
const LONGEST = 4096;
const OVERLAP = 512;

/** Values that a script or a file gives to names of secrets. Comments are passed over, and what comes to be on the machine. */
export function findAssignments(text: string): Assignment[] {
  const isCode = CODE.test(text);
  const found = new Map<string, Assignment>();
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    if (COMMENT.test(line)) continue;
    for (const piece of piecesOf(line))
      for (const name of assignedIn(piece, isCode)) found.set(`${i}:${name}`, { name, line: i + 1 });
  }
  return [...found.values()];
}

function piecesOf(line: string): string[] {
  const count = Math.max(1, Math.ceil((line.length - OVERLAP) / (LONGEST - OVERLAP)));
  return Array.from({ length: count }, (_, i) => {
    const start = i * (LONGEST - OVERLAP);
    return line.slice(start, start + LONGEST);
  });
}

function* assignedIn(line: string, isCode: boolean): Generator<string> {
  for (const pattern of NAMED) {
    for (const [, name = '', double, single, bare] of line.matchAll(pattern)) {
      const value = double ?? single ?? (isCode ? undefined : bare);
      if (value !== undefined && isSecretName(name) && !isHarmlessInText(value.trim())) yield name;
    }
  }
  for (const [name, pattern] of UNNAMED)
    for (const [, value = ''] of line.matchAll(pattern)) if (!isHarmlessInText(value)) yield name;
}
