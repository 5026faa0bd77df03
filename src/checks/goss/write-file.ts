import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Document, isMap, parseDocument } from 'yaml';
import { ExitCode, IngotError } from '../../core/error.ts';
import type { Described } from './describe.ts';

/**
 * Adds resources to a goss file, or begins one. What else is in it stays as it is, comments too. Throws `goss/not-writable` for a
 * file with templates or bad YAML.
 */
export function addToGossFile(
  file: string,
  resources: readonly { readonly type: string; readonly name: string; readonly described: Described }[],
): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text.includes('{{')) refuse(`${file} holds templates, in which nothing can be added`);
  const document = text.trim() === '' ? new Document({}) : parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents)))
    refuse(`${file} is no YAML map`);
  for (const { type, name, described } of resources)
    document.setIn([type, name], document.createNode(described));
  // Renamed in: a full disk leaves the old file whole.
  writeFileSync(`${file}.new`, document.toString({ lineWidth: 0 }));
  renameSync(`${file}.new`, file);
}

function refuse(message: string): never {
  throw new IngotError('goss/not-writable', message, {
    hint: 'Write into another file with --goss, and take it in by `gossfile:`.',
    exitCode: ExitCode.Usage,
  });
}
