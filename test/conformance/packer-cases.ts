import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A command line of Packer's own tests, and what must come of it. */
export interface PackerCase {
  /** Folder below `fixtures/` to run in. */
  readonly folder: string;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly env: Readonly<Record<string, string>>;
  readonly fails: boolean;
  readonly present: readonly string[];
  readonly absent: readonly string[];
  /** A Go string expression; empty where no output is demanded. */
  readonly stdout: string;
  readonly note: string;
}

/** The folder with the cases of other projects; undefined where it is absent. */
export function conformanceFolder(): string | undefined {
  const folder = process.env.INGOT_CONFORMANCE ?? resolve(import.meta.dirname, '../../../shared/conformance');
  return existsSync(join(folder, 'packer/cases.tsv')) ? join(folder, 'packer') : undefined;
}

/** Reads `cases.tsv`: a header, then a case a line; fields with quotes in them are quoted as in CSV. */
export function readCases(folder: string): PackerCase[] {
  const [, ...lines] = readFileSync(join(folder, 'cases.tsv'), 'utf8').trimEnd().split('\n');
  return lines.map((line) => {
    const [folder, args, stdin, env, exit, present, absent, stdout, note] = line
      .split('\t')
      .map((field) => (/^".*"$/s.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field));
    const names = (text = ''): string[] => text.split(',').filter(Boolean);
    return {
      folder: folder as string,
      args: splitArguments(args as string),
      stdin: stdin as string,
      env: Object.fromEntries((env ?? '').split(' ').filter(Boolean).map(pair)),
      fails: exit !== '0',
      // A comma may be part of a name: `s3cr3t,foo.txt` are two files.
      present: names(present),
      absent: names(absent),
      stdout: stdout ?? '',
      note: note ?? '',
    };
  });
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Arguments are separated by blanks; the value of `-var name=[…]` and `{…}` has blanks of its own. */
function splitArguments(text: string): string[] {
  const args: string[] = [];
  let depth = 0;
  for (const word of text.split(/ +/)) {
    if (depth > 0) args.push(`${args.pop()} ${word}`);
    else if (word !== '') args.push(word);
    for (const char of word) depth += '[{'.includes(char) ? 1 : ']}'.includes(char) ? -1 : 0;
  }
  return args;
}

/** The text that a Go expression of `stdout` means: literals joined by `+`, and Packer's current folder. */
export function expectedOutput(expression: string, cwd: string): string {
  let text = '';
  for (const part of expression.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|strings\.ReplaceAll\([^)]*\)/g) ?? []) {
    if (part.startsWith('"')) text += JSON.parse(part) as string;
    else if (part.startsWith('`')) text += part.slice(1, -1);
    else text += part.startsWith('strings.ReplaceAll(cwd') ? cwd : (/"([^"]*)"/.exec(part)?.[1] ?? '');
  }
  return text;
}
