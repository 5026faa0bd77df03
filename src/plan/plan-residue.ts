import type { Json } from '../core/digest.ts';
import type { NamedSecret } from '../core/named-secret.ts';
import type { ResidueStepOptions } from './catalog.ts';
import type { Placed } from './image-file.ts';
import type { PlannedStep } from './types.ts';

/** Characters of a secret that are enough to find what it is part of. */
const TELLING = 8;

interface ResidueRequest {
  /** What must not be in the image. */
  readonly secrets: readonly NamedSecret[];
  /** Texts with references to more of it. */
  readonly references: readonly string[];
  readonly postProcessors: readonly Omit<PlannedStep, 'id'>[];
}

/**
 * The search for the secrets that the build used. Their values are not hashed: they are in what the disk stands on, as
 * HMACs, and so are those of post-processors here.
 */
export function planResidue(
  block: Placed,
  { secrets, references, postProcessors }: ResidueRequest,
): { readonly options: ResidueStepOptions; readonly hashed: Json } | undefined {
  const { allow, allow_incomplete: incomplete } = block.options as {
    readonly allow: Readonly<Record<string, string>>;
    readonly allow_incomplete?: string;
  };
  // `TOKEN=${var.token}` is found where the token is.
  const holdsAnother = ({ value }: NamedSecret): boolean =>
    secrets.some(
      (other) => other.value.length >= TELLING && other.value !== value && value.includes(other.value),
    );
  const searched = secrets.filter((s) => !Object.hasOwn(allow, s.name) && !holdsAnother(s));
  if (searched.length === 0 && references.length === 0) return undefined;
  const options: ResidueStepOptions = {
    secrets: searched,
    references,
    allowed: Object.keys(allow),
    ...(incomplete !== undefined && { incomplete }),
  };
  const hashed = {
    secrets: searched.map(({ name }) => name).sort(),
    ...(incomplete !== undefined && { incomplete }),
    ...(references.length > 0 && { references, allowed: Object.keys(allow).sort() }),
    postProcessors: postProcessors.map(({ spec }) => spec.options),
  };
  return { options, hashed };
}
