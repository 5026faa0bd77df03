import { MultiSearch } from '../residue/multi-search.ts';
import { type Candidate, entropyOf, isAllowed, type Rule, type RuleSet } from './rules.ts';

/** Where a rule found something. Never the whole secret. */
export interface PatternFinding {
  readonly rule: string;
  readonly description: string;
  /** From the image's top: `/etc/app.conf`. */
  readonly path: string;
  /** From 1; 0: the path alone is the finding. */
  readonly line: number;
  /** The secret's first characters, to find it again. */
  readonly begins: string;
}

/** Characters around a keyword that a regex is tried on: a private key behind its first line, a name before a value. */
const BEFORE = 512;
const BEHIND = 8192;
/** One file with more of a kind is no better known by all of them. */
const MOST_A_RULE = 10;
const SHOWN = 4;
/** Bytes of a keyword that can be searched. */
const SHORTEST = 2;

/** Rules, made ready once for any number of files. */
export class PatternSearch {
  readonly #set: RuleSet;
  readonly #keywords: readonly string[];
  readonly #search: MultiSearch | undefined;

  constructor(set: RuleSet) {
    this.#set = set;
    this.#keywords = [...new Set(set.rules.flatMap(({ keywords }) => keywords))].filter(
      (k) => k.length >= SHORTEST,
    );
    if (this.#keywords.length > 0)
      this.#search = new MultiSearch(
        this.#keywords.map((k) => Buffer.from(k)),
        { ignoreCase: true },
      );
  }

  /** What the rules say of a file. `path`: from the image's top, with no slash in front. */
  file(path: string, content: Buffer): PatternFinding[] {
    const places = this.#keywordPlaces(content);
    return this.#set.rules.flatMap((rule) => {
      // Most files have none of the keywords: what is cheap to know comes first.
      const windows = rule.regex ? windowsOf(rule, places, content.length) : [];
      if (rule.regex && windows.length === 0) return [];
      if (rule.path && !rule.path.find(path)) return [];
      return rule.regex ? inWindows(rule, path, content, windows, this.#set) : byPath(rule, path, this.#set);
    });
  }

  #keywordPlaces(content: Buffer): ReadonlyMap<string, readonly number[]> {
    const places = new Map<string, number[]>();
    this.#search?.search(content, (index, at) => {
      const keyword = this.#keywords[index] as string;
      const known = places.get(keyword);
      if (known) known.push(at);
      else places.set(keyword, [at]);
    });
    return places;
  }
}

interface Window {
  readonly start: number;
  readonly end: number;
}

/** Stretches of the file that the rule's regex is tried on. Without a keyword that can be searched: all of it. */
function windowsOf(rule: Rule, places: ReadonlyMap<string, readonly number[]>, length: number): Window[] {
  if (rule.keywords.length === 0 || rule.keywords.some((k) => k.length < SHORTEST))
    return [{ start: 0, end: length }];
  const starts = rule.keywords.flatMap((k) => places.get(k) ?? []).sort((a, b) => a - b);
  const windows: Window[] = [];
  for (const at of starts) {
    const window = { start: Math.max(0, at - BEFORE), end: Math.min(length, at + BEHIND) };
    const last = windows.at(-1);
    if (last && window.start <= last.end)
      windows[windows.length - 1] = { start: last.start, end: window.end };
    else windows.push(window);
  }
  return windows;
}

function inWindows(
  rule: Rule,
  path: string,
  content: Buffer,
  windows: readonly Window[],
  set: RuleSet,
): PatternFinding[] {
  const findings = new Map<number, PatternFinding>();
  for (const { start, end } of windows) {
    // A character a byte, so that places in the text are places in the file.
    const text = content.toString('latin1', start, end);
    for (const match of rule.regex?.findAll(text) ?? []) {
      const whole = text.slice(match.start, match.end);
      const first = match.groups.find((g) => g !== undefined && g !== '');
      const secret = (rule.secretGroup > 0 ? match.groups[rule.secretGroup - 1] : first) ?? whole;
      const candidate: Candidate = { path, secret, match: whole, line: lineAround(text, match.start) };
      const weak = rule.entropy > 0 && entropyOf(secret) <= rule.entropy;
      if (weak || isAllowed(candidate, rule, set)) continue;
      findings.set(start + match.start, {
        rule: rule.id,
        description: rule.description,
        path: `/${path}`,
        line: lineNumber(content, start + match.start),
        begins: secret.slice(0, SHOWN),
      });
      if (findings.size >= MOST_A_RULE) return [...findings.values()];
    }
  }
  return [...findings.values()];
}

function byPath(rule: Rule, path: string, set: RuleSet): PatternFinding[] {
  if (isAllowed({ path, secret: '', match: '', line: '' }, rule, set)) return [];
  return [{ rule: rule.id, description: rule.description, path: `/${path}`, line: 0, begins: '' }];
}

function lineAround(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(text.lastIndexOf('\n', at - 1) + 1, end < 0 ? undefined : end);
}

function lineNumber(content: Buffer, at: number): number {
  let line = 1;
  for (let i = content.indexOf(10); i >= 0 && i < at; i = content.indexOf(10, i + 1)) line++;
  return line;
}
