import { resolve } from 'node:path';
import { isMap } from '../document.ts';
import { failedCommand } from '../failed-command.ts';
import type { Surroundings } from '../provider.ts';
import { readYaml } from '../read-yaml.ts';
import { notConfigured } from '../refusal.ts';
import { bearer, type Fields, textOf, type User } from './access.ts';

/** The cluster that credentials are for, and its fields in the kubeconfig. */
export interface ClusterInfo {
  readonly url: URL;
  readonly ca: string | undefined;
  readonly fields: Fields;
}

/**
 * Runs a credential plugin and answers the token or the certificate that it writes (client.authentication.k8s.io,
 * ExecCredential). Throws `secrets/not-configured` for one that gives neither, `secrets/bad-answer` for one that fails.
 */
export async function askPlugin(
  exec: Fields,
  folder: string,
  cluster: ClusterInfo,
  around: Surroundings,
): Promise<User> {
  const given = textOf(exec, 'command');
  if (given === undefined) throw notConfigured('k8s', "the kubeconfig's exec has no command", 'Add it.');
  // A bare name is looked up in PATH.
  const command = given.includes('/') ? resolve(folder, given) : given;
  const args = Array.isArray(exec.args) ? exec.args.map(String) : [];
  const variables = (Array.isArray(exec.env) ? exec.env : [])
    .filter(isMap)
    .map(({ name, value }) => [String(name), String(value)]);
  const spec = {
    interactive: false,
    ...(exec.provideClusterInfo === true && { cluster: described(cluster) }),
  };
  const info = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec };
  const env = {
    ...(Object.fromEntries(variables) as Record<string, string>),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
  const result = await around.run(command, args, { env, timeoutMs: 60_000 });
  if (result.exitCode !== 0) throw failedCommand(command, result);
  const credential = readYaml(result.stdout, `the output of ${command}`);
  const status = isMap(credential) && isMap(credential.status) ? credential.status : {};
  const token = textOf(status, 'token');
  const [cert, key] = [textOf(status, 'clientCertificateData'), textOf(status, 'clientKeyData')];
  if ((cert === undefined) !== (key === undefined) || (token ?? cert) === undefined) {
    const hint = 'Run it by hand to see what it writes.';
    throw notConfigured('k8s', `${command} gave neither a token nor a certificate with its key`, hint);
  }
  for (const secret of [token, key]) if (secret !== undefined) around.hide(secret);
  const pair = cert !== undefined && key !== undefined && { cert, key };
  return { ...pair, headers: token === undefined ? {} : bearer(token) };
}

function described({ url, ca, fields }: ClusterInfo): Fields {
  const extensions = Array.isArray(fields.extensions) ? fields.extensions.filter(isMap) : [];
  const own = extensions.find(({ name }) => name === 'client.authentication.k8s.io/exec');
  return {
    server: url.href.replace(/\/$/, ''),
    'tls-server-name': textOf(fields, 'tls-server-name'),
    'insecure-skip-tls-verify': fields['insecure-skip-tls-verify'] === true ? true : undefined,
    'certificate-authority-data': ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
    config: own?.extension ?? null,
  };
}
