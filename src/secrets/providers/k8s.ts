import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { encodeText, textOrBytes } from '../encode.ts';
import { goJson } from '../go-json.ts';
import { clusterOf } from '../kubernetes/cluster.ts';
import type { HttpAnswer } from '../http.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, jsonOf, notFound, refusal } from '../refusal.ts';
import { below } from '../service-url.ts';

const RESOURCES: Readonly<Record<string, string>> = { Secret: 'secrets', ConfigMap: 'configmaps' };

/**
 * `ref+k8s://v1/Secret|ConfigMap/namespace/name[/key]?kubeConfigPath=&kubeContext=&inCluster&encode=`; without a key all of
 * them as JSON, but for a ConfigMap's binaryData (Kubernetes API, core/v1).
 */
export const k8s: Provider = {
  async text(request, around) {
    const { place, key } = placeOf(request);
    const { data, binaryData } = await readObject(place, request, around);
    const encode = request.param('encode');
    if (key === undefined) {
      const all = [...data].map(([name, bytes]) => [name, textIn(place, name, bytes, encode)]);
      return goJson(Object.fromEntries(all));
    }
    const bytes = data.get(key) ?? binaryData.get(key);
    if (bytes === undefined) throw notFound(`key ${key} in the ${named(place)}`);
    return textIn(place, key, bytes, encode);
  },
  async document(request, around) {
    const { data, binaryData } = await readObject(placeOf(request).place, request, around);
    const encode = request.param('encode');
    const all = [...binaryData, ...data].map(([name, bytes]) => [
      name,
      encode ? encodeText(bytes, encode) : textOrBytes(bytes),
    ]);
    return Object.fromEntries(all) as Record<string, unknown>;
  },
};

/** A value as text. Throws `secrets/bad-document` for what would not be the same any more. */
function textIn(place: Place, key: string, bytes: Buffer, encode: string | undefined): string {
  if (encode || typeof textOrBytes(bytes) === 'string') return encodeText(bytes, encode);
  throw new IngotError('secrets/bad-document', `the key ${key} of the ${named(place)} is no text`, {
    hint: 'Add ?encode=base64 to the reference.',
  });
}

interface Place {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

function placeOf({ path }: Request): { place: Place; key: string | undefined } {
  const [version, kind = '', namespace, name, key, ...more] = path.split('/');
  const isWhole = version === 'v1' && Object.hasOwn(RESOURCES, kind) && namespace && name;
  if (isWhole && key !== '' && more.length === 0) return { place: { kind, namespace, name }, key };
  throw new IngotError('secrets/bad-reference', `ref+k8s://${path} names no Secret or ConfigMap`, {
    hint: 'Write ref+k8s://v1/Secret/namespace/name/key.',
  });
}

const named = ({ kind, namespace, name }: Place): string => `${kind} ${namespace}/${name}`;

/** The object's maps, as bytes. */
interface Content {
  readonly data: ReadonlyMap<string, Buffer>;
  readonly binaryData: ReadonlyMap<string, Buffer>;
}

async function readObject(place: Place, request: Request, around: Surroundings): Promise<Content> {
  const { kind, namespace, name } = place;
  const { url: base, tls, headers } = await clusterOf(request, around);
  const url = below(base, 'api/v1', `namespaces/${namespace}/${RESOURCES[kind] as string}/${name}`);
  return await around.once(['k8s', url.href, headers, tls], async () => {
    const answer = await around.fetch({ url, tls, headers: { ...headers, accept: 'application/json' } });
    const { data, binaryData } = answerObject(answer, base.origin, named(place), whyNot);
    return {
      data: bytesOf(data, kind === 'Secret' ? 'base64' : 'utf8'),
      binaryData: bytesOf(binaryData, 'base64'),
    };
  });
}

/** Only the API itself knows what is not there; another server, or another path of this one, has a 404 of its own. */
function whyNot(answer: HttpAnswer, service: string, what: string): IngotError {
  const said = jsonOf(answer);
  if (answer.status !== 404 || (isMap(said) && said.kind === 'Status')) return refusal(answer, service, what);
  return new IngotError(
    'secrets/bad-answer',
    `${what} could not be read: ${service} answered with status 404, and not as Kubernetes does`,
    { hint: 'Check the server in the kubeconfig, with its path.' },
  );
}

function bytesOf(map: unknown, encoding: BufferEncoding): Map<string, Buffer> {
  const entries = Object.entries(isMap(map) ? map : {});
  return new Map(entries.map(([key, value]) => [key, Buffer.from(String(value), encoding)]));
}
