import { type Document, parseAllDocuments } from 'yaml';
import { IngotError } from '../core/error.ts';
import { goScalars } from './go-scalars.ts';

/** Scalars, keys and `<<` as Go's yaml.v3 has them, whatever version a document names; large whole numbers stay exact. */
const OPTIONS = {
  schema: 'core',
  merge: true,
  uniqueKeys: true,
  stringKeys: true,
  resolveKnownTags: false,
  customTags: goScalars,
  prettyErrors: false,
} as const;

/**
 * The first document of a YAML or JSON text; undefined where there is none. `what` names it in the error
 * `secrets/bad-document`; its text does not appear there.
 */
export function readYaml(text: string, what: string): unknown {
  const [first] = documentsOf(text);
  const [error] = first?.errors ?? [];
  if (error) throw badDocument(what, wordsOf(error.code));
  return first && toValue(() => first.toJS(), what);
}

/** All documents of a YAML stream; empty ones are left out. */
export function readYamlStream(text: string, what: string): unknown[] {
  return documentsOf(text)
    .map((document) => {
      const [error] = document.errors;
      if (error) {
        const [line] = [text.slice(0, error.pos[0]).split('\n').length];
        throw badDocument(`${what}, line ${line},`, wordsOf(error.code));
      }
      return toValue(() => document.toJS(), what);
    })
    .filter((value) => value !== null && value !== undefined);
}

function documentsOf(text: string): readonly Document.Parsed[] {
  const documents = parseAllDocuments(text, OPTIONS);
  return 'empty' in documents ? [] : documents;
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

/** `TAB_AS_INDENT` as words; the message itself may quote the text, which may be secret. */
function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function badDocument(what: string, problem: string): IngotError {
  return new IngotError('secrets/bad-document', `${what} is no YAML or JSON: ${problem}`, {
    hint: 'Mend it there. For a reference: without a fragment (#/key) its text is taken as it is, whatever it is.',
  });
}
