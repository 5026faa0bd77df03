import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { type Context, note } from '../core/context.ts';
import { explainSystemError } from '../core/system-error.ts';
import { defaultRules, readRules } from './patterns/read-rules.ts';
import type { RuleSet } from './patterns/rules.ts';
import { type PatternFinding, PatternSearch } from './patterns/search-text.ts';
import type { PatternOptions } from './patterns/spec.ts';
import { walkTree } from './walk-tree.ts';

/** Text files are smaller. */
const MOST_BYTES = 32 << 20;
/** As git does: a file with a zero byte among the first ones is no text. */
const PROBE = 8000;

export interface PatternResult {
  readonly findings: readonly PatternFinding[];
  /** Files that were searched. */
  readonly files: number;
  /** Text files that are too large, and were not. */
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
    const content = await readText(entry.place, entry.size);
    if (content === 'too large') tooLarge.push(entry.path);
    if (typeof content === 'string') continue;
    files++;
    findings.push(...search.file(entry.path.slice(1), content));
  }
  for (const path of tooLarge)
    note(ctx, `${path} is larger than ${MOST_BYTES >> 20} MiB and was not searched`);
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

async function readText(place: Buffer, size: number): Promise<Buffer | 'binary' | 'too large'> {
  await using file = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW);
  const head = Buffer.alloc(Math.min(PROBE, size));
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  if (head.subarray(0, bytesRead).includes(0)) return 'binary';
  if (size > MOST_BYTES) return 'too large';
  if (size <= PROBE) return head.subarray(0, bytesRead);
  return await file.readFile();
}
