import { notConfigured } from '../refusal.ts';

/** Address of a service: AWS's own, or what `AWS_ENDPOINT_URL_<SERVICE>` or `AWS_ENDPOINT_URL` says. */
export function awsEndpoint(
  service: 'kms' | 's3' | 'secretsmanager' | 'ssm' | 'sts',
  region: string,
  env: Readonly<Record<string, string | undefined>>,
): URL {
  const name = service === 'secretsmanager' ? 'SECRETS_MANAGER' : service.toUpperCase();
  const configured = env[`AWS_ENDPOINT_URL_${name}`] || env.AWS_ENDPOINT_URL;
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  const address = configured || `https://${service}.${region}.amazonaws.com${suffix}`;
  try {
    return new URL(address);
  } catch {
    throw notConfigured('AWS', `${JSON.stringify(address)} is no address`, 'Correct AWS_ENDPOINT_URL.');
  }
}
