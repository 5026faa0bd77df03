import type { Diagnostic } from '../core/diagnostic.ts';
import type { Digest, Json } from '../core/digest.ts';
import type { Catalog, PolicyStepOptions } from './catalog.ts';
import type { ImageBlock } from './image-file.ts';

/** Reports what a policy asks for and the image file does not have: it could never be fulfilled. */
export async function checkPolicy(
  image: ImageBlock,
  catalog: Catalog,
  templateDir: string,
  diagnostics: Diagnostic[],
): Promise<void> {
  const { policy, tests, outputs, seal } = image;
  // A body that could not be decoded has its own findings, and says nothing about what is asked.
  if (!policy?.options || tests.some((t) => !t.options) || (seal && !seal.options)) return;
  const asked = { tests, outputs: outputs.map((o) => o.type), ...(seal && { seal: seal.options }) };
  for (const problem of await catalog.policy.problems(policy.options as never, asked, templateDir)) {
    const { code, message, path, hint, severity = 'error' } = problem;
    const range = policy.rangeOf(path);
    diagnostics.push({ code, severity, message, range, ...(hint !== undefined && { hint }) });
  }
}

interface PolicyRequest {
  readonly image: ImageBlock | undefined;
  readonly catalog: Catalog;
  /** Seconds since 1970. */
  readonly baseDate?: number;
  readonly now: Date;
}

/** What the step is made of that holds the finished filesystem, and what its tests answered, against the policy. */
export async function planPolicy(
  request: PolicyRequest,
  subject: Digest,
  tests: readonly Digest[],
): Promise<
  | { readonly inputs: readonly Digest[]; readonly hashed: Json; readonly options: PolicyStepOptions }
  | undefined
> {
  const { image, catalog, baseDate, now } = request;
  if (!image?.policy) return undefined;
  const { options, hashForm } = image.policy;
  return {
    inputs: [subject, ...tests],
    hashed: {
      policy: hashForm,
      shipped: await catalog.policy.shipped(options as never),
      today: await catalog.policy.today(options as never, baseDate, now),
    },
    options: { policy: options, ...(baseDate !== undefined && { baseDate }) },
  };
}

/** The user's own files that a policy reads. */
export async function filesOfPolicy(
  { policy }: Pick<ImageBlock, 'policy'>,
  catalog: Catalog,
  templateDir: string,
): Promise<readonly string[] | undefined> {
  return policy?.options ? await catalog.policy.files(policy.options as never, templateDir) : [];
}
