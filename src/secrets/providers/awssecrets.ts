import { IngotError } from '../../core/error.ts';
import { awsParams, callAws } from '../aws/call.ts';
import { isMap } from '../document.ts';
import { readYaml } from '../read-yaml.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { describeReference } from '../reference.ts';

/** Field of a `…/meta` secret that lists the secrets below a path, as vals has it. */
const META = 'github.com/helmfile/vals';

/** `ref+awssecrets://name-or-arn?region=&profile=&role_arn=&version_stage=&version_id=#/key` */
export const awssecrets: Provider = {
  text: (request, around) => secretValue(request.path, request, around),
  async document(request, around) {
    const shown = describeReference(request.text);
    try {
      return readYaml(await secretValue(request.path, request, around), shown);
    } catch (error) {
      if (!(error instanceof IngotError) || error.code !== 'secrets/not-found') throw error;
      return (await listedSecrets(request, around)) ?? Promise.reject(error);
    }
  },
};

/** AWS Secrets Manager API, GetSecretValue. */
async function secretValue(id: string, request: Request, around: Surroundings): Promise<string> {
  const stage = request.param('version_stage');
  const version = request.param('version_id');
  const { SecretString: text, SecretBinary: binary } = await callAws(
    awsParams(request),
    {
      service: 'secretsmanager',
      target: 'secretsmanager.GetSecretValue',
      input: {
        SecretId: id,
        ...(stage !== undefined && { VersionStage: stage }),
        ...(version !== undefined && { VersionId: version }),
      },
      what: `secret ${JSON.stringify(id)}`,
    },
    around,
  );
  if (typeof text === 'string') return text;
  if (typeof binary === 'string') return Buffer.from(binary, 'base64').toString('utf8');
  throw new IngotError('secrets/bad-answer', `the secret ${JSON.stringify(id)} has no value`, {
    hint: 'Store a value in it.',
  });
}

/** The secrets that `<path>/meta` lists, by their names; undefined where there is no such list. */
async function listedSecrets(
  request: Request,
  around: Surroundings,
): Promise<Record<string, string> | undefined> {
  const base = request.path.replace(/\/+$/, '');
  const meta = await secretValue(`${base}/meta`, request, around).catch(() => undefined);
  const list = meta === undefined ? undefined : readYaml(meta, `${base}/meta`);
  const names = isMap(list) ? list[META] : undefined;
  if (!Array.isArray(names)) return undefined;
  const keys = names.map((name) => String(name).replace(/^\/+/, ''));
  const values = await Promise.all(keys.map((key) => secretValue(`${base}/${key}`, request, around)));
  return Object.fromEntries(keys.map((key, i) => [key, values[i] as string]));
}
