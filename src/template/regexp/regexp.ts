import { inClass } from './char-class.ts';
import { compilePattern, type Instruction } from './compile.ts';
import { parsePattern } from './parse.ts';
import type { Assertion } from './syntax.ts';

export interface Match {
  /** Where it begins and ends, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** Texts of the groups from 1; undefined for those that took no part. */
  readonly groups: readonly (string | undefined)[];
}

/** Where groups begin and end so far: slots 2n and 2n+1. */
type Captures = readonly number[];

interface Thread {
  readonly at: number;
  readonly captures: Captures;
}

/**
 * A regular expression with RE2's syntax and its promise: time grows with pattern × text and never faster, since all
 * ways through the pattern are followed side by side (Pike 1987; Cox, "Regular Expression Matching: the Virtual
 * Machine Approach"). The leftmost match counts, and of those the one that Perl would prefer.
 */
export class SafeRegExp {
  readonly #program: readonly Instruction[];
  /** Names of the groups from 1. */
  readonly names: readonly (string | undefined)[];

  /** Throws PatternError. */
  constructor(pattern: string) {
    const { node, names } = parsePattern(pattern);
    this.#program = compilePattern(node);
    this.names = names;
  }

  /** The first match from `from` on. */
  find(text: string, from = 0): Match | undefined {
    let current: Thread[] = [];
    let best: Captures | undefined;
    for (let at = from; ; ) {
      const point = text.codePointAt(at);
      const width = point !== undefined && point > 0xffff ? 2 : 1;
      const closure = new Closure(this.#program, text, at);
      for (const thread of current) closure.follow(thread);
      if (!best) closure.follow({ at: 0, captures: [] });
      const next: Thread[] = [];
      for (const thread of closure.threads) {
        const instruction = this.#program[thread.at] as Instruction;
        if (instruction.op === 'match') {
          best = thread.captures;
          // What comes behind in the list is less preferred.
          break;
        }
        if (instruction.op === 'chars' && point !== undefined && inClass(instruction.chars, point)) {
          next.push({ at: thread.at + 1, captures: thread.captures });
        }
      }
      if (point === undefined || (best && next.length === 0)) break;
      current = next;
      at += width;
    }
    return best && this.#match(text, best);
  }

  /** All matches, none overlapping another. */
  *findAll(text: string): Generator<Match> {
    let from = 0;
    let last = -1;
    while (from <= text.length) {
      const match = this.find(text, from);
      if (!match) return;
      // An empty match right behind the last one is no new one.
      if (match.end > match.start || match.start !== last) yield match;
      last = match.end;
      const step = (text.codePointAt(match.end) ?? 0) > 0xffff ? 2 : 1;
      from = match.end > match.start ? match.end : match.end + step;
    }
  }

  #match(text: string, captures: Captures): Match {
    const groups = this.names.map((_, i) => {
      const start = captures[2 * i + 2];
      const end = captures[2 * i + 3];
      return start === undefined || end === undefined ? undefined : text.slice(start, end);
    });
    return { start: captures[0] as number, end: captures[1] as number, groups };
  }
}

/** Everything that is reached at one place of the text without taking a character, in order of preference. */
class Closure {
  readonly threads: Thread[] = [];
  readonly #program: readonly Instruction[];
  readonly #text: string;
  readonly #at: number;
  readonly #seen = new Set<number>();

  constructor(program: readonly Instruction[], text: string, at: number) {
    this.#program = program;
    this.#text = text;
    this.#at = at;
  }

  follow(start: Thread): void {
    const stack = [start];
    for (let thread = stack.pop(); thread; thread = stack.pop()) {
      const { at, captures } = thread;
      if (this.#seen.has(at)) continue;
      this.#seen.add(at);
      const instruction = this.#program[at] as Instruction;
      if (instruction.op === 'jump') stack.push({ at: instruction.to, captures });
      else if (instruction.op === 'split')
        stack.push({ at: instruction.other, captures }, { at: instruction.to, captures });
      else if (instruction.op === 'save') {
        const copy = [...captures];
        copy[instruction.slot] = this.#at;
        stack.push({ at: at + 1, captures: copy });
      } else if (instruction.op === 'assert') {
        if (this.#holds(instruction.what)) stack.push({ at: at + 1, captures });
      } else this.threads.push(thread);
    }
  }

  #holds(what: Assertion): boolean {
    const before = this.#text[this.#at - 1];
    const after = this.#text[this.#at];
    switch (what) {
      case 'text-start':
        return before === undefined;
      case 'text-end':
        return after === undefined;
      case 'line-start':
        return before === undefined || before === '\n';
      case 'line-end':
        return after === undefined || after === '\n';
      case 'word':
        return isWord(before) !== isWord(after);
      case 'no-word':
        return isWord(before) === isWord(after);
    }
  }
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /^\w$/.test(char);
}

/** Text with Go's `$1`, `${1}`, `$name` and `$$` filled from a match (regexp.Expand). */
export function expandReplacement(
  template: string,
  match: Match,
  text: string,
  names: readonly (string | undefined)[],
): string {
  return template.replace(/\$(?:\$|\{(\w+)\}|(\w+))/g, (_whole, braced?: string, bare?: string) => {
    const name = braced ?? bare;
    if (name === undefined) return '$';
    if (name === '0') return text.slice(match.start, match.end);
    const index = /^[0-9]+$/.test(name) ? Number(name) - 1 : names.indexOf(name);
    return match.groups[index] ?? '';
  });
}
