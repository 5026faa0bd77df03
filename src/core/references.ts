import type { BodySpec } from './body-spec.ts';
import type { SecretResolver } from './context.ts';

/** What every secret reference holds (docs/secrets.md). */
const MARK = 'ref+';

/** Texts with secret references in the options that may have them. */
export function textsWithReferences(options: unknown, spec: BodySpec): string[] {
  return flagged(options, spec).flatMap(([, value]) => textsOf(value).filter((text) => text.includes(MARK)));
}

/** The options with values in place of references, where they may have them; all fetched at the same time. */
export async function resolveReferences(
  options: unknown,
  spec: BodySpec,
  secrets: SecretResolver,
): Promise<unknown> {
  const resolved = await Promise.all(
    flagged(options, spec).map(async ([name, value]) => [name, await resolveIn(value, secrets)] as const),
  );
  return resolved.length === 0 ? options : { ...(options as object), ...Object.fromEntries(resolved) };
}

function flagged(options: unknown, spec: BodySpec): [string, unknown][] {
  if (typeof options !== 'object' || options === null) return [];
  return Object.entries(options).filter(([name]) => spec.attributes[name]?.references === true);
}

/** Options hold texts, and lists and maps of them. */
async function resolveIn(value: unknown, secrets: SecretResolver): Promise<unknown> {
  if (typeof value === 'string') return value.includes(MARK) ? await secrets.resolve(value) : value;
  if (Array.isArray(value)) return await Promise.all(value.map((item) => resolveIn(item, secrets)));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    async ([key, item]) => [key, await resolveIn(item, secrets)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}
