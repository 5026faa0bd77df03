import { signAwsRequest } from '../../core/aws-signature.ts';
import { askNow } from './ask.ts';
import { awsProfile } from './aws-profile.ts';
import { FunctionError } from './function.ts';
import { field, once, readAnswer, type ServiceCall, serviceUrl, unconfigured } from './services.ts';

const HINT = 'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or a profile in ~/.aws.';

/** A secret of AWS Secrets Manager as it is stored: `aws_secretsmanager_raw("name")`. */
export const askAwsRaw: ServiceCall = (services, [name = '']) => {
  const profile = awsProfile(services.env);
  if (!profile) return unconfigured(services, HINT);
  return once(services, `aws_secretsmanager_raw(${JSON.stringify(name)})`, () => {
    const { env } = services;
    const { region, credentials } = profile;
    const base = env.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? env.AWS_ENDPOINT_URL;
    const host = `https://secretsmanager.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
    const url = serviceUrl(base ?? host, 'AWS_ENDPOINT_URL');
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'secretsmanager.GetSecretValue',
    };
    const body = JSON.stringify({ SecretId: name, VersionStage: 'AWSCURRENT' });
    const signed = signAwsRequest({ method: 'POST', url, headers, body }, credentials, {
      region,
      service: 'secretsmanager',
      now: new Date(),
    });
    const answer = (services.ask ?? askNow)({ url, headers: { ...headers, ...signed }, body });
    if (answer.status === 400 && answer.body.includes('ResourceNotFoundException'))
      throw new FunctionError(`AWS Secrets Manager has no secret ${JSON.stringify(name)} in ${region}`, 0);
    const secret = field(readAnswer(answer, 'AWS Secrets Manager'), 'SecretString');
    if (typeof secret === 'string') return secret;
    throw new FunctionError(`the secret ${JSON.stringify(name)} is binary, expected a text`, 0);
  });
};

/**
 * One value of a secret: `aws_secretsmanager("name", "key")`. The key may be left out where the secret is a plain text or
 * holds one value only, as Packer has it.
 */
export const askAws: ServiceCall = (services, [name = '', key]) => {
  const text = askAwsRaw(services, [name]);
  if (text === undefined) return undefined;
  const values = objectOf(text);
  if (!values) return text;
  const keys = Object.keys(values);
  if ((key === undefined || key === '') && keys.length !== 1) {
    throw new FunctionError(
      `the secret ${JSON.stringify(name)} holds ${keys.length} values, expected the key of one of them`,
      1,
    );
  }
  const wanted = key === undefined || key === '' ? (keys[0] as string) : key;
  const value = field(values, wanted);
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  const what = value === undefined ? 'no key' : 'no text under the key';
  throw new FunctionError(`the secret ${JSON.stringify(name)} has ${what} ${JSON.stringify(wanted)}`, 1);
};

function objectOf(text: string): object | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? read : undefined;
  } catch {
    return undefined;
  }
}
