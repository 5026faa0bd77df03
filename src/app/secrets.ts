import { runInForeground } from '../host/foreground.ts';
import { expandDocument, textsOf } from '../secrets/expand-document.ts';
import { type ExpandOptions, expandText } from '../secrets/expand.ts';
import { environmentLines, environmentOf } from '../secrets/environment-lines.ts';
import { goJson } from '../secrets/go-json.ts';
import { goFloat } from '../secrets/go-scalars.ts';
import { goYaml } from '../secrets/go-yaml.ts';
import { decodeSecret, encodeSecret } from '../secrets/kubernetes/secret.ts';
import { listReferences, type ListedReference } from '../secrets/list-references.ts';
import { createResolver } from '../secrets/resolver.ts';
import { settleAll } from '../secrets/settle-all.ts';
import { writeSecretFile } from '../secrets/write-secret-file.ts';
import { createMask, type Mask, maskError } from './mask.ts';
import { runForReference } from './reference-resolver.ts';
import { readDocuments, readFirstDocument, readTextInput, type SecretInput } from './secret-input.ts';

export interface SecretsOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Leaves `secretref+…` as it is. */
  readonly excludeSecret?: boolean;
  /** A key that a map does not have is null, instead of an error. */
  readonly missingKeys?: boolean;
  /** Expands references in fetched values, too. */
  readonly expandValues?: boolean;
  /** Longest time for one value, all attempts together. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type { ListedReference };

export type OutputFormat = 'yaml' | 'json';

/** `ingot secrets eval`: documents with values in place of references, as text. */
export async function evalSecrets(
  input: SecretInput,
  format: OutputFormat,
  options: SecretsOptions & { readonly decodeKubernetesSecrets?: boolean },
): Promise<string> {
  const documents = await readDocuments(input);
  return await expanding(options, createMask(), async (expand) => {
    const values = await settleAll(
      documents.map(async (document) => {
        if (!options.decodeKubernetesSecrets) return await expandDocument(document, expand);
        return encodeSecret(await expandDocument(decodeSecret(document), expand));
      }),
    );
    return writeDocuments(values, format);
  });
}

/** `ingot secrets flatten`: any text with values in place of references. */
export async function flattenSecrets(input: SecretInput, options: SecretsOptions): Promise<string> {
  const text = await readTextInput(input);
  return await expanding(options, createMask(), async (expand) => asText(await expandText(text, expand)));
}

/** `ingot secrets get`: one text with values in place of references. */
export async function getSecret(text: string, options: SecretsOptions): Promise<string> {
  return await expanding(options, createMask(), async (expand) => asText(await expandText(text, expand)));
}

/** `ingot secrets env`: the variables of a file as lines for a shell. */
export async function envSecrets(
  input: SecretInput,
  options: SecretsOptions & { readonly isExported: boolean },
): Promise<string> {
  const document = await readFirstDocument(input);
  return await expanding(options, createMask(), async (expand) =>
    environmentLines(environmentOf(await expandDocument(document, expand), 'shell'), options.isExported),
  );
}

export interface ExecOptions extends SecretsOptions {
  /** File of variables. */
  readonly input?: SecretInput;
  /** YAML whose values go to the command's standard input. */
  readonly streamYaml?: SecretInput;
  /** Also hands over our own environment. */
  readonly inherit: boolean;
  /** Hides the values in what the command writes. */
  readonly mask: boolean;
}

/** `ingot secrets exec`: runs a command with the variables of a file, and answers its exit code. */
export async function execSecrets(
  [command = '', ...args]: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const { input, streamYaml, inherit } = options;
  const document = input ? await readFirstDocument(input) : {};
  const documents = streamYaml ? await readDocuments(streamYaml) : undefined;
  const mask = createMask();
  const { variables, stdin } = await expanding(options, mask, async (expand) => ({
    variables: environmentOf(await expandDocument(document, expand), 'system'),
    stdin:
      documents && writeDocuments(await settleAll(documents.map((d) => expandDocument(d, expand))), 'yaml'),
  }));
  const own = Object.entries(inherit ? options.env : {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return await runInForeground(command, args, {
    env: { ...Object.fromEntries(own), ...Object.fromEntries(variables) },
    ...(stdin !== undefined && { input: stdin }),
    ...(options.mask && { rewrite: (line) => mask.hide(line) }),
  });
}

/** `--output-file`: the output of any of these, for its owner alone. */
export async function writeSecrets(path: string, content: string): Promise<void> {
  await writeSecretFile(path, content);
}

/** `ingot secrets ksdecode`: Kubernetes Secrets with their data in the clear. */
export async function decodeKubernetesSecrets(input: SecretInput, format: OutputFormat): Promise<string> {
  return writeDocuments((await readDocuments(input)).map(decodeSecret), format);
}

/** `--dry-run`: the references that would be read, each once; nothing is asked. */
export async function listSecretReferences(
  source: { readonly text: string } | { readonly texts: SecretInput } | { readonly documents: SecretInput },
  options: Pick<SecretsOptions, 'excludeSecret'>,
): Promise<ListedReference[]> {
  const texts =
    'text' in source
      ? [source.text]
      : 'texts' in source
        ? [await readTextInput(source.texts)]
        : textsOf(await readDocuments(source.documents));
  return listReferences(texts, kindsOf(options));
}

/** Does the work with a resolver; what it fetched is told to the mask, and appears in no error. */
async function expanding<T>(
  options: SecretsOptions,
  mask: Mask,
  work: (expand: ExpandOptions) => Promise<T>,
): Promise<T> {
  const { env, signal, timeoutMs } = options;
  const resolver = createResolver({
    env,
    patience: {
      // Who says how long to wait wants it tried all that time.
      ...(timeoutMs !== undefined && { deadlineMs: timeoutMs, attempts: Number.POSITIVE_INFINITY }),
      ...(signal && { signal }),
    },
    missingKeys: options.missingKeys === true,
    run: runForReference,
    onSecret: (text) => mask.add(text),
  });
  try {
    return await work({
      lookup: (reference) => resolver.lookup(reference),
      kinds: kindsOf(options),
      valueDepth: options.expandValues === true ? 10 : 0,
    });
  } catch (error) {
    throw maskError(error, mask);
  }
}

function kindsOf({ excludeSecret }: Pick<SecretsOptions, 'excludeSecret'>): ('ref' | 'secretref')[] {
  return excludeSecret === true ? ['ref'] : ['ref', 'secretref'];
}

function writeDocuments(documents: readonly unknown[], format: OutputFormat): string {
  return documents.map((d) => (format === 'json' ? `${goJson(d)}\n` : goYaml(d))).join('---\n');
}

function asText(value: unknown): string {
  if (typeof value === 'number') return goFloat(value);
  return typeof value === 'string' ? value : goJson(value);
}
