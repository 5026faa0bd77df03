import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsCredentials } from '../../core/aws-signature.ts';

export interface AwsProfile {
  readonly credentials: AwsCredentials;
  readonly region: string;
}

/**
 * Credentials and region as AWS's own tools find them: the environment, then the profile in the shared files. Those of
 * instances and containers are not asked for. Undefined where either is missing.
 */
export function awsProfile(env: NodeJS.ProcessEnv): AwsProfile | undefined {
  const profile = env.AWS_PROFILE ?? env.AWS_DEFAULT_PROFILE ?? 'default';
  const folder = join(env.HOME ?? '/', '.aws');
  const settings = awsSection(env.AWS_CONFIG_FILE ?? join(folder, 'config'), [profile, `profile ${profile}`]);
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? settings.get('region');
  const fromEnv = {
    id: env.AWS_ACCESS_KEY_ID,
    secret: env.AWS_SECRET_ACCESS_KEY,
    token: env.AWS_SESSION_TOKEN,
  };
  const { id, secret, token } =
    fromEnv.id && fromEnv.secret
      ? fromEnv
      : keysOf(
          awsSection(env.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'), [profile]),
          settings,
        );
  if (!id || !secret || !region) return undefined;
  return {
    region,
    credentials: { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) },
  };
}

function keysOf(...sections: readonly ReadonlyMap<string, string>[]) {
  const found = sections.find((s) => s.has('aws_access_key_id'));
  return {
    id: found?.get('aws_access_key_id'),
    secret: found?.get('aws_secret_access_key'),
    token: found?.get('aws_session_token'),
  };
}

/** The settings of the first section of these names in a shared file; none where the file is not there. */
export function awsSection(file: string, names: readonly string[]): Map<string, string> {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // Not there, or not ours to read: then it configures nothing.
  }
  const found = new Map<string, string>();
  let inside = false;
  for (const line of text.split('\n')) {
    const heading = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line)?.[1];
    if (heading !== undefined) inside = names.includes(heading);
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (inside && key !== undefined && value !== undefined) found.set(key.toLowerCase(), value);
  }
  return found;
}
