import { IngotError } from '../../core/error.ts';

/** An instruction of a Dockerfile, its continued lines joined. */
export interface Instruction {
  /** In capitals: `FROM`. */
  readonly name: string;
  readonly flags: Readonly<Record<string, string>>;
  /** What follows the flags. */
  readonly rest: string;
  /** Where it begins and ends, from 0; the end is the line behind. */
  readonly line: number;
  readonly end: number;
}

export interface Stage {
  /** As written behind FROM, variables filled. */
  readonly from: string;
  /** In lower case. */
  readonly name?: string;
  readonly instruction: Instruction;
  /** Those of the stage, without its FROM. */
  readonly body: readonly Instruction[];
}

const HEREDOC = /<<-?\s*(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/g;
const FLAG = /^--([a-z-]+)(?:=(\S*))?\s*/;

/** Instructions of a Dockerfile (docs.docker.com, "Dockerfile reference", Format). Throws `source/bad-dockerfile`. */
export function parseInstructions(text: string): Instruction[] {
  const lines = text.split(/\r?\n/);
  const escape = escapeOf(lines);
  const found: Instruction[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = at;
    if (isIgnored(lines[at])) continue;
    let whole = '';
    for (; at < lines.length; at++) {
      if (whole !== '' && isIgnored(lines[at])) continue;
      const part = (lines[at] as string).trimEnd();
      if (!part.endsWith(escape)) {
        whole += part;
        break;
      }
      whole += part.slice(0, -1);
    }
    const match = /^\s*([A-Za-z]+)(?:\s+([\s\S]*))?$/.exec(whole);
    if (!match?.[1]) throw badDockerfile(line, `"${whole.trim().slice(0, 60)}" is no instruction`);
    const name = match[1].toUpperCase();
    let rest = match[2] ?? '';
    const flags: Record<string, string> = Object.create(null) as Record<string, string>;
    for (let flag = FLAG.exec(rest); flag?.[1]; flag = FLAG.exec(rest)) {
      flags[flag[1]] = flags[flag[1]] === undefined ? (flag[2] ?? '') : `${flags[flag[1]]}\n${flag[2] ?? ''}`;
      rest = rest.slice(flag[0].length);
    }
    if (['RUN', 'COPY', 'ADD'].includes(name))
      for (const [, , word] of rest.matchAll(HEREDOC)) {
        while (++at < lines.length && (lines[at] as string).replace(/^\t+/, '').trimEnd() !== word);
      }
    found.push({ name, flags, rest: rest.trim(), line, end: Math.min(at + 1, lines.length) });
  }
  return found;
}

/** Stages, with the variables in front of the first FROM filled in; `given` wins over their defaults. */
export function parseStages(text: string, given: Readonly<Record<string, string>>): Stage[] {
  const values = new Map<string, string>();
  const stages: (Stage & { readonly body: Instruction[] })[] = [];
  for (const instruction of parseInstructions(text)) {
    const { name, rest, line } = instruction;
    const current = stages.at(-1);
    if (name === 'FROM') {
      const match = /^(\S+)(?:\s+[Aa][Ss]\s+([A-Za-z][A-Za-z0-9._-]*))?$/.exec(rest);
      if (!match?.[1])
        throw badDockerfile(line, `FROM ${rest.slice(0, 60)} is not of the form FROM image [AS name]`);
      const stage = { from: expand(match[1], values, line), instruction, body: [] };
      stages.push({ ...stage, ...(match[2] !== undefined && { name: match[2].toLowerCase() }) });
    } else if (current) {
      current.body.push(instruction);
    } else if (name === 'ARG') {
      for (const word of rest.split(/\s+/)) {
        const [key = '', ...value] = word.split('=');
        const fallback = value.length > 0 ? expand(unquote(value.join('=')), values, line) : undefined;
        const chosen = given[key] ?? fallback;
        if (chosen !== undefined) values.set(key, chosen);
      }
    } else throw badDockerfile(line, `${name} stands in front of the first FROM`);
  }
  if (stages.length === 0) throw badDockerfile(0, 'it has no FROM');
  return stages;
}

/** `$X`, `${X}`, `${X:-default}`, `${X:+other}` (Dockerfile reference, "Environment replacement"). */
function expand(text: string, values: ReadonlyMap<string, string>, line: number): string {
  return text.replace(
    /\$(?:\{([A-Za-z_]\w*)(?::?([-+])([^}]*))?\}|([A-Za-z_]\w*))/g,
    (...found: string[]) => {
      const [, braced, operator, word = '', plain] = found;
      const name = braced ?? plain ?? '';
      const value = values.get(name);
      if (operator === '-') return value ? value : word;
      if (operator === '+') return value ? word : '';
      if (value === undefined)
        throw badDockerfile(line, `the variable ${name} has no value in front of the first FROM`);
      return value;
    },
  );
}

function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line);
    if (!directive) break;
    if (directive[1]?.toLowerCase() === 'escape') return directive[2] === '`' ? '`' : '\\';
  }
  return '\\';
}

function isIgnored(line = ''): boolean {
  return /^\s*(#|$)/.test(line);
}

function unquote(text: string): string {
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

export function badDockerfile(line: number, what: string): IngotError {
  return new IngotError(
    'source/bad-dockerfile',
    `line ${line + 1} of the Dockerfile cannot be read: ${what}`,
    {
      hint: 'docs.docker.com/reference/dockerfile has what may stand there.',
    },
  );
}
