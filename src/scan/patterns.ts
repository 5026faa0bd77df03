import { constants } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Context, note } from '../core/context.ts';
import { explainSystemError } from '../core/system-error.ts';
import { defaultRules, readRules } from './patterns/read-rules.ts';
import type { RuleSet } from './patterns/rules.ts';
import { type PatternFinding, PatternSearch } from './patterns/search-text.ts';
import type { PatternOptions } from './patterns/spec.ts';
import { walkTree } from './walk-tree.ts';

/** Bytes of a text that are searched at once. */
const PIECE = 32 << 20;
/** What two pieces share, so that nothing is cut in two: more than is read around a keyword. */
const SHARED = 64 << 10;
/** A text of more is named as not searched, and fails the test. */
const MOST_BYTES = 16 * 1024 ** 3;
/** As git does: a file with a zero byte among the first ones is no text. */
const PROBE = 8000;

export interface PatternResult {
  readonly findings: readonly PatternFinding[];
  /** Files that were searched. */
  readonly files: number;
  /** Text files that are too large, and were not: nobody knows what is in them. */
  readonly tooLarge: readonly string[];
}

/** Searches the text files of a finished filesystem for what has the form of a secret, whoever put it there. */
export async function searchPatterns(
  dir: string,
  options: PatternOptions,
  ctx: Pick<Context, 'templateDir' | 'signal' | 'emit' | 'step'>,
): Promise<PatternResult> {
  const search = new PatternSearch(await rulesOf(options, ctx.templateDir));
  const findings: PatternFinding[] = [];
  const tooLarge: string[] = [];
  let files = 0;
  for await (const entry of walkTree(dir, ctx.signal)) {
    if (entry.kind !== 'file' || entry.size === 0 || Object.hasOwn(options.allow, entry.path)) continue;
    const found = await searchFile(entry, search, ctx.signal);
    if (found === 'too large') tooLarge.push(entry.path);
    if (typeof found === 'string') continue;
    files++;
    findings.push(...found);
  }
  for (const path of tooLarge)
    note(ctx, `${path} is larger than ${MOST_BYTES / 1024 ** 3} GiB and was not searched`);
  return { findings, files, tooLarge };
}

/** What a person is told of a finding. */
export function findingText({ rule, description, path, line, begins }: PatternFinding): string {
  const place = line === 0 ? path : `${path}:${line}`;
  const shown = begins === '' ? '' : `, which begins with ${JSON.stringify(begins)}`;
  return `${place} holds ${description}${shown} (rule ${rule})`;
}

async function rulesOf({ rules }: PatternOptions, templateDir: string): Promise<RuleSet> {
  if (rules === undefined) return defaultRules();
  const path = isAbsolute(rules) ? rules : join(templateDir, rules);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, { place: path });
  });
  return readRules(text, rules);
}

async function searchFile(
  { place, size, path }: { readonly place: Buffer; readonly size: number; readonly path: string },
  search: PatternSearch,
  signal: AbortSignal,
): Promise<readonly PatternFinding[] | 'binary' | 'too large'> {
  await using file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
  const head = Buffer.alloc(Math.min(PROBE, size));
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  if (head.subarray(0, bytesRead).includes(0)) return 'binary';
  if (size > MOST_BYTES) return 'too large';
  if (size <= PROBE) return search.file(path.slice(1), head.subarray(0, bytesRead));
  const piece = Buffer.allocUnsafe(Math.min(PIECE, size));
  const found = new Map<string, PatternFinding>();
  let lines = 0;
  for (let at = 0; at < size; at += PIECE - SHARED) {
    signal.throwIfAborted();
    const length = await fill(piece, file, at);
    const content = piece.subarray(0, length);
    for (const finding of search.file(path.slice(1), content)) {
      // What a path alone tells has no line, and what two pieces share is found in both.
      const line = finding.line === 0 ? 0 : finding.line + lines;
      found.set(`${finding.rule} ${line}`, { ...finding, line });
    }
    if (at + length >= size || length < PIECE) break;
    lines += newlinesIn(content.subarray(0, PIECE - SHARED));
  }
  return [...found.values()];
}

/** Reads until the buffer is full or the file ends; answers how many bytes that are. */
async function fill(into: Buffer, file: FileHandle, from: number): Promise<number> {
  let length = 0;
  while (length < into.length) {
    const { bytesRead } = await file.read(into, length, into.length - length, from + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return length;
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
