import { type Diagnostic, hasErrors } from '../../core/diagnostic.ts';
import { digestOf, hexOf, type Json } from '../../core/digest.ts';
import { checkMap, checkNetwork, checkPart, unwrapNetwork } from './check.ts';
import { fillTemplate, templateName } from './fill.ts';
import { fitParts, fitText, type Squeeze } from './fit.ts';
import { guestinfo } from './guestinfo.ts';
import { type Part, readPart, readText } from './part.ts';
import type { DataKind, Provider } from './providers.ts';
import type { CloudInitSchemas } from './schemas.ts';
import type { SearchSecrets } from './search-part.ts';
import type { Values } from './values.ts';
import { valuesThatAreSecret } from './secret-fields.ts';
import { unusedValues } from './unused-values.ts';

/** A file that the user gave. */
export interface InputFile {
  readonly kind: DataKind;
  /** As it is called in messages; its ending tells a template. */
  readonly name: string;
  readonly bytes: Buffer;
}

export interface RenderRequest {
  /** In their order: several of user-data or vendor-data are parts. */
  readonly files: readonly InputFile[];
  readonly values: Values;
  /** Names among them that were given for this run, and not by a file. */
  readonly given?: readonly string[];
  readonly provider: Provider;
  readonly schemas: CloudInitSchemas;
  readonly search: SearchSecrets;
}

/** A file for the provider. */
export interface RenderedFile {
  readonly name: string;
  readonly data: Buffer;
  /** Bytes as the provider counts them, and the most that it takes. */
  readonly size: number;
  readonly limit?: number;
  readonly squeeze: Squeeze;
}

export interface Rendered {
  /** None where `diagnostics` has errors. */
  readonly files: readonly RenderedFile[];
  readonly diagnostics: readonly Diagnostic[];
  /** Texts by name, for excerpts; none where a secret stands in them. */
  readonly sources: ReadonlyMap<string, string>;
}

type Texts = Partial<Record<DataKind, string>>;

/**
 * What one instance is told at its launch: every file filled in and checked, then made to fit the provider. The same
 * request gives the same bytes. Throws `render/too-large`.
 */
export function renderData({
  files,
  values,
  given = [],
  provider,
  schemas,
  search,
}: RenderRequest): Rendered {
  const found: Diagnostic[] = [];
  const sources = new Map<string, string>();
  const plain = new Map<string, string>();
  const taken = new Set<string>();
  const parts: Record<'user-data' | 'vendor-data', Part[]> = { 'user-data': [], 'vendor-data': [] };
  const texts: Texts = {};
  let meta: Record<string, Json> = {};
  let network: Json | undefined;
  for (const { kind, name: path, bytes } of files) {
    const { name, isTemplate } = templateName(path);
    const raw = readText(path, bytes, found);
    if (raw === undefined) continue;
    sources.set(path, raw);
    if (!isTemplate) plain.set(path, raw);
    const text = isTemplate ? fillTemplate(raw, path, values, { found, taken }) : raw;
    if (text === undefined) continue;
    sources.set(name, text);
    if (kind === 'user-data' || kind === 'vendor-data') {
      const part = readPart(name, Buffer.from(text), found);
      if (part) parts[kind].push(part);
      if (part) found.push(...checkPart(part, schemas, search));
    } else if (kind === 'meta-data') {
      const yaml = checkMap(name, text, search, found);
      if (yaml) meta = yaml.value as Record<string, Json>;
      texts[kind] = text;
    } else {
      const yaml = checkMap(name, text, search, found);
      const inner = yaml && unwrapNetwork(yaml);
      if (inner) found.push(...checkNetwork(inner, schemas));
      network = inner?.value as Json | undefined;
      texts[kind] = inner === yaml ? text : `${JSON.stringify(network, undefined, 2)}\n`;
    }
  }
  const written = [...parts['user-data'], ...parts['vendor-data']].map(({ text }) => text);
  found.push(
    ...valuesThatAreSecret(values, [...written, ...Object.values(texts)]),
    ...notTaken(files, provider),
    ...unusedValues({ given, taken, plain }),
  );
  if (hasErrors(found)) {
    const hasSecret = found.some(({ code }) => code === 'render/secret');
    return { files: [], diagnostics: found, sources: hasSecret ? new Map() : sources };
  }

  const wholeMeta = completeMeta(meta, values, [written, texts['network-config'] ?? '']);
  if (wholeMeta !== meta) texts['meta-data'] = `${JSON.stringify(wholeMeta, undefined, 2)}\n`;
  const made: RenderedFile[] = [];
  if (provider.name === 'vsphere') {
    made.push(guestinfo(parts, { ...wholeMeta, ...(network !== undefined && { network }) }, provider));
  } else {
    for (const kind of provider.takes) {
      if (kind === 'user-data' || kind === 'vendor-data') {
        // A seed without user-data is none for cloud-init.
        if (parts[kind].length === 0 && (kind === 'vendor-data' || provider.name !== 'nocloud')) continue;
        const { isBase64, ...fitted } = fitParts(kind, parts[kind], provider);
        made.push({ name: kind, ...fitted, ...limitOf(provider) });
        if (isBase64 && provider.name === 'gcp') made.push(plainFile(`${kind}-encoding`, 'base64', provider));
      } else {
        const text = texts[kind];
        if (text !== undefined) made.push(plainFile(kind, text, provider));
      }
    }
  }
  return { files: made, diagnostics: found, sources };
}

/**
 * meta-data with what NoCloud and VMware need: an instance id, new when anything else is, since cloud-init configures an
 * instance once; and the host's name, where the values have one.
 */
function completeMeta(meta: Record<string, Json>, values: Values, rest: Json): Record<string, Json> {
  const { hostname, instance_id: id } = values;
  const added = {
    ...(meta['instance-id'] === undefined && {
      'instance-id': id ?? `iid-${hexOf(digestOf([meta, hostname ?? null, rest])).slice(0, 16)}`,
    }),
    ...(meta['local-hostname'] === undefined && hostname !== undefined && { 'local-hostname': hostname }),
  };
  return Object.keys(added).length === 0 ? meta : { ...added, ...meta };
}

function plainFile(name: string, text: string, provider: Provider): RenderedFile {
  const { isBase64: _, ...fitted } = fitText(name as DataKind, text, provider);
  return { name, ...fitted, ...limitOf(provider) };
}

function limitOf({ limit }: Provider): { limit?: number } {
  return limit === undefined ? {} : { limit };
}

/** What the provider would never hand to the instance. */
function notTaken(files: readonly InputFile[], { name, takes }: Provider): Diagnostic[] {
  const kinds = [...new Set(files.map(({ kind }) => kind))].filter((kind) => !takes.includes(kind));
  return kinds.map((kind) => ({
    code: 'render/not-taken',
    severity: 'warning',
    message: `${name} takes no ${kind} from whoever launches an instance; it is left out`,
    hint:
      kind === 'vendor-data'
        ? 'Give it as one more part of user-data.'
        : `An instance is told its name and its network by ${name} itself.`,
  }));
}
