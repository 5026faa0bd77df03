import { parse, TomlError } from 'smol-toml';
import { IngotError } from '../../core/error.ts';
import { SafeRegExp } from '../../template/regexp/regexp.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import type { Allowlist, Rule, RuleSet } from './rules.ts';

type Table = Record<string, unknown>;

const TOP = ['title', 'description', 'minVersion', 'extend', 'rules', 'allowlist', 'allowlists'];
const RULE = [
  'id',
  'description',
  'regex',
  'path',
  'secretGroup',
  'entropy',
  'keywords',
  'tags',
  'allowlist',
  'allowlists',
  'skipReport',
  'required',
];
const ALLOW = [
  'description',
  'condition',
  'commits',
  'paths',
  'regexes',
  'regexTarget',
  'stopwords',
  'targetRules',
];
const EXTEND = ['useDefault', 'disabledRules', 'path', 'url'];

/**
 * Reads rules in gitleaks' format (github.com/gitleaks/gitleaks, README, "Configuration"). `[extend] useDefault` adds
 * ours. Throws `patterns/bad-rules` with everything that is wrong.
 */
export function readRules(text: string, file: string): RuleSet {
  const reader = new RuleReader(file);
  let top: Table;
  try {
    top = parse(text) as Table;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split('\n');
    throw new IngotError('patterns/bad-rules', `${file}:${error.line}:${error.column}: ${what}`);
  }
  const set = reader.set(top);
  reader.end();
  return set;
}

/** Ours. */
export function defaultRules(): RuleSet {
  return readRules(DEFAULT_RULES, 'the default rules');
}

class RuleReader {
  readonly #file: string;
  readonly #problems: string[] = [];

  constructor(file: string) {
    this.#file = file;
  }

  end(): void {
    if (this.#problems.length === 0) return;
    throw new IngotError('patterns/bad-rules', `${this.#file}: ${this.#problems.join('; ')}`, {
      hint: 'The format is that of gitleaks: [[rules]] with id, description, regex, keywords, allowlists.',
    });
  }

  set(top: Table): RuleSet {
    this.#known(top, TOP, 'the file');
    const own = this.#tables(top, 'rules', 'the file').map((table, i) => this.#rule(table, i));
    const allowlists = this.#allowlists(top, 'the file');
    const extend = top.extend === undefined ? {} : this.#table(top.extend, '[extend]');
    this.#known(extend, EXTEND, '[extend]');
    for (const key of ['path', 'url'])
      if (extend[key] !== undefined) this.#problems.push(`[extend] ${key} is not supported; merge the files`);
    const disabled = new Set(this.#strings(extend, 'disabledRules', '[extend]'));
    if (own.length === 0 && extend.useDefault !== true)
      this.#problems.push('the file has no rules: nothing would be searched');
    const base = extend.useDefault === true ? defaultRules() : { rules: [], allowlists: [] };
    const kept = base.rules.filter(({ id }) => !disabled.has(id) && !own.some((rule) => rule.id === id));
    return { rules: [...kept, ...own], allowlists: [...base.allowlists, ...allowlists] };
  }

  #rule(table: Table, index: number): Rule {
    const id = this.#string(table, 'id', `rule ${index + 1}`);
    const where = id === undefined ? `rule ${index + 1}` : `rule "${id}"`;
    if (id === undefined) this.#problems.push(`${where} has no id`);
    this.#known(table, RULE, where);
    const regex = this.#pattern(this.#string(table, 'regex', where), `${where}: regex`);
    const path = this.#pattern(this.#string(table, 'path', where), `${where}: path`);
    if (!regex && !path && table.regex === undefined && table.path === undefined)
      this.#problems.push(`${where} has neither regex nor path`);
    const secretGroup = this.#number(table, 'secretGroup', where);
    if (regex && secretGroup > regex.names.length)
      this.#problems.push(
        `${where}: secretGroup is ${secretGroup}, the regex has ${regex.names.length} groups`,
      );
    return {
      id: id ?? '',
      description: this.#string(table, 'description', where) ?? id ?? '',
      ...(regex && { regex }),
      ...(path && { path }),
      secretGroup,
      entropy: this.#number(table, 'entropy', where),
      keywords: this.#strings(table, 'keywords', where).map((k) => k.toLowerCase()),
      allowlists: this.#allowlists(table, where),
    };
  }

  /** `allowlist` is the older name of one. */
  #allowlists(table: Table, where: string): Allowlist[] {
    const old = table.allowlist === undefined ? [] : [this.#table(table.allowlist, `${where}: allowlist`)];
    return [...old, ...this.#tables(table, 'allowlists', where)].map((t) =>
      this.#allow(t, `${where}: allowlist`),
    );
  }

  #allow(table: Table, where: string): Allowlist {
    this.#known(table, ALLOW, where);
    const condition = (this.#string(table, 'condition', where) ?? 'OR').toLowerCase();
    if (!['or', '||', 'and', '&&'].includes(condition))
      this.#problems.push(`${where}: condition is "${condition}"; expected "AND" or "OR"`);
    const target = this.#string(table, 'regexTarget', where) ?? 'secret';
    if (target !== 'secret' && target !== 'match' && target !== 'line')
      this.#problems.push(`${where}: regexTarget is "${target}"; expected "match" or "line"`);
    const patterns = (key: string): SafeRegExp[] =>
      this.#strings(table, key, where).flatMap((p) => this.#pattern(p, `${where}: ${key}`) ?? []);
    const description = this.#string(table, 'description', where);
    return {
      ...(description !== undefined && { description }),
      condition: condition === 'and' || condition === '&&' ? 'and' : 'or',
      paths: patterns('paths'),
      regexes: patterns('regexes'),
      regexTarget: target as Allowlist['regexTarget'],
      stopwords: this.#strings(table, 'stopwords', where).map((w) => w.toLowerCase()),
      ofCommits: this.#strings(table, 'commits', where).length > 0,
      targetRules: this.#strings(table, 'targetRules', where),
    };
  }

  #known(table: Table, keys: readonly string[], where: string): void {
    for (const key of Object.keys(table))
      if (!keys.includes(key)) this.#problems.push(`${where} has the unknown key "${key}"`);
  }

  #table(value: unknown, where: string): Table {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table;
    this.#problems.push(`${where} is no table`);
    return {};
  }

  #tables(table: Table, key: string, where: string): Table[] {
    const value = table[key] ?? [];
    if (Array.isArray(value)) return value.map((v) => this.#table(v, `${where}: ${key}`));
    this.#problems.push(`${where}: ${key} is no list of tables; write [[${key}]]`);
    return [];
  }

  #string(table: Table, key: string, where: string): string | undefined {
    const value = table[key];
    if (value === undefined || typeof value === 'string') return value;
    this.#problems.push(`${where}: ${key} is no string`);
    return undefined;
  }

  #number(table: Table, key: string, where: string): number {
    const value = table[key] ?? 0;
    if (typeof value === 'number' && value >= 0) return value;
    this.#problems.push(`${where}: ${key} is no number`);
    return 0;
  }

  #strings(table: Table, key: string, where: string): string[] {
    const value = table[key] ?? [];
    if (Array.isArray(value) && value.every((v) => typeof v === 'string')) return value;
    this.#problems.push(`${where}: ${key} is no list of strings`);
    return [];
  }

  #pattern(pattern: string | undefined, where: string): SafeRegExp | undefined {
    if (pattern === undefined) return undefined;
    try {
      return new SafeRegExp(pattern);
    } catch (error) {
      this.#problems.push(`${where} ${JSON.stringify(pattern)}: ${(error as Error).message}`);
      return undefined;
    }
  }
}
