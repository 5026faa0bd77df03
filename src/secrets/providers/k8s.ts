import { IngotError } from '../../core/error.ts';
import { isMap } from '../document.ts';
import { clusterOf } from '../kubernetes/cluster.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { answerObject, notFound } from '../refusal.ts';
import { below } from '../service-url.ts';

const RESOURCES: Readonly<Record<string, string>> = { Secret: 'secrets', ConfigMap: 'configmaps' };

/**
 * `ref+k8s://v1/Secret|ConfigMap/namespace/name[/key]?kubeConfigPath=&kubeContext=&inCluster`; without a key all of them as
 * JSON (Kubernetes API, core/v1).
 */
export const k8s: Provider = {
  async text(request, around) {
    const { place, key } = placeOf(request);
    const data = await readData(place, request, around);
    if (key === undefined) return JSON.stringify(data);
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    if (value === undefined)
      throw notFound(`key ${key} in the ${place.kind} ${place.namespace}/${place.name}`);
    return value;
  },
  document(request, around) {
    return readData(placeOf(request).place, request, around);
  },
};

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

async function readData(
  place: Place,
  request: Request,
  around: Surroundings,
): Promise<Record<string, string>> {
  const { kind, namespace, name } = place;
  const { url: base, tls, headers } = await clusterOf(request, around);
  const url = below(base, 'api/v1', `namespaces/${namespace}/${RESOURCES[kind] as string}/${name}`);
  return await around.once(['k8s', url.href, headers.authorization, tls.cert], async () => {
    const answer = await around.fetch({ url, tls, headers: { ...headers, accept: 'application/json' } });
    const { data } = answerObject(answer, base.origin, `${kind} ${namespace}/${name}`);
    const entries = Object.entries(isMap(data) ? data : {}).map(([key, value]): [string, string] => [
      key,
      kind === 'Secret' ? Buffer.from(String(value), 'base64').toString('utf8') : String(value),
    ]);
    return Object.fromEntries(entries);
  });
}
