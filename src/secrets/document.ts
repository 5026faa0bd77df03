import { parseAllDocuments, parseDocument } from 'yaml';
import { IngotError } from '../core/error.ts';

/** Large whole numbers stay exact; `<<` merges, as Go's YAML has it. */
const OPTIONS = { intAsBigInt: true, merge: true, uniqueKeys: true, prettyErrors: false } as const;

/** One YAML or JSON document. `what` names it in the error `secrets/bad-document`; its text does not appear there. */
export function readYaml(text: string, what: string): unknown {
  const document = parseDocument(text, OPTIONS);
  const [error] = document.errors;
  if (error) throw badDocument(what, error.code);
  return toValue(() => document.toJS(), what);
}

/** All documents of a YAML stream; empty ones are left out. */
export function readYamlStream(text: string, what: string): unknown[] {
  const documents = parseAllDocuments(text, OPTIONS);
  if ('empty' in documents) return [];
  return documents
    .map((document) => {
      const [error] = document.errors;
      if (error) {
        const [line] = [text.slice(0, error.pos[0]).split('\n').length];
        throw badDocument(`${what}, line ${line},`, error.code);
      }
      return toValue(() => document.toJS(), what);
    })
    .filter((value) => value !== null && value !== undefined);
}

/** A map of a document that was read: no list, no bytes. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function toValue(read: () => unknown, what: string): unknown {
  try {
    return normal(read());
  } catch (cause) {
    // Aliases that would grow without end.
    if (cause instanceof IngotError) throw cause;
    throw badDocument(what, (cause as Error).message);
  }
}

/** Whole numbers that a number holds exactly become numbers; the rest stays. No key becomes a prototype. */
function normal(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, normal(inner)]));
}

function badDocument(what: string, problem: string): IngotError {
  return new IngotError('secrets/bad-document', `${what} is no YAML or JSON: ${problem}`, {
    hint: 'A reference with a fragment (#/key) needs a YAML or JSON document; without one the text is taken as it is.',
  });
}
