import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { isMap } from '../document.ts';
import type { Surroundings } from '../provider.ts';
import { readYaml } from '../read-yaml.ts';
import { notConfigured } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';
import { type Cluster, type Fields, textOf } from './access.ts';
import { pemOf, userOf } from './user.ts';

/** A kubeconfig file, or an entry of one of its lists. Paths in it start at the file's folder. */
interface Part {
  readonly fields: Fields;
  readonly file: string;
}

/** A context of a kubeconfig (Kubernetes, kubeconfig v1). Throws `secrets/not-configured`. */
export async function configuredCluster(
  named: string | undefined,
  wanted: string | undefined,
  around: Surroundings,
): Promise<Cluster> {
  const paths = pathsOf(named, around);
  const files = await readFiles(paths);
  const problem = (what: string, hint = 'Correct it.'): Error =>
    notConfigured('k8s', `${paths.join(', ')}: ${what}`, hint);
  const name = wanted || files.map(({ fields }) => textOf(fields, 'current-context')).find((n) => n);
  if (!name) throw problem('no current-context', 'Add one, or ?kubeContext=… to the reference.');
  const context = find(files, 'context', name)?.fields;
  if (!context) throw problem(`no context ${JSON.stringify(name)}`);
  const part = (kind: 'cluster' | 'user'): Part => {
    const found = find(files, kind, context[kind]);
    if (found) return found;
    throw problem(`no ${kind} ${JSON.stringify(context[kind] ?? '')}, as the context ${name} has it`);
  };
  const [cluster, user] = [part('cluster'), part('user')];
  const { fields } = cluster;
  if (textOf(fields, 'proxy-url') !== undefined)
    throw problem(`a proxy-url, which is not supported yet`, 'Set HTTPS_PROXY instead.');
  const ca = await pemOf(fields, 'certificate-authority', dirname(cluster.file));
  const insecure = fields['insecure-skip-tls-verify'] === true;
  const servername = textOf(fields, 'tls-server-name');
  const server = textOf(fields, 'server');
  if (server === undefined) throw problem(`no server of the cluster ${String(context.cluster)}`);
  const url = serviceUrl('k8s', server, `server of ${cluster.file}`);
  const { headers, ...own } = await userOf(user.fields, dirname(user.file), { url, ca, fields }, around);
  const trust = {
    ...(ca !== undefined && { ca }),
    ...(servername !== undefined && { servername }),
    insecure,
  };
  return { url, tls: { ...trust, ...own }, headers };
}

function pathsOf(named: string | undefined, { env }: Surroundings): readonly string[] {
  if (named) return [named];
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  return listed.length > 0 ? listed : [join(env.HOME || homedir(), '.kube/config')];
}

/** Of several, those that are not there are left out, as kubectl does. */
async function readFiles(paths: readonly string[]): Promise<Part[]> {
  const read = paths.map(async (path): Promise<Part[]> => {
    const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'ENOENT' && paths.length > 1) return undefined;
      const hint = 'Set KUBECONFIG, or add ?kubeConfigPath=… to the reference.';
      throw notConfigured('k8s', `the kubeconfig ${path} can't be read: ${cause.message}`, hint);
    });
    if (text === undefined) return [];
    const fields = readYaml(text, path);
    if (!isMap(fields)) throw notConfigured('k8s', `${path} is no map`, 'Name a kubeconfig.');
    return [{ fields, file: path }];
  });
  return (await Promise.all(read)).flat();
}

/** An entry of that name: `clusters: [{name: …, cluster: {…}}]`. The first file that has it counts. */
function find(files: readonly Part[], kind: 'cluster' | 'context' | 'user', name: unknown): Part | undefined {
  for (const { fields, file } of files) {
    const list = fields[`${kind}s`];
    const found: unknown = (Array.isArray(list) ? list : []).find((e) => isMap(e) && e.name === name);
    if (isMap(found)) return { fields: isMap(found[kind]) ? found[kind] : {}, file };
  }
  return undefined;
}
