import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AwsCredentials } from '../../core/aws-signature.ts';
import { awsSection } from '../../template/functions/aws-profile.ts';
import type { Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';
import { containerCredentials, instanceCredentials, instanceRegion } from './metadata.ts';
import { assumeRole, assumeRoleWithWebIdentity } from './sts.ts';

export interface AwsAccess {
  readonly region: string;
  readonly credentials: AwsCredentials;
}

/** What a reference may say of its access. */
export interface AwsParams {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly roleArn?: string | undefined;
}

/**
 * Region and credentials as AWS's own tools find them: the reference's parameters, the environment, the shared files, a
 * web identity token, the container's or the instance's role; then the role that the reference names. Throws
 * `secrets/not-configured`.
 */
export function awsAccess(params: AwsParams, around: Surroundings): Promise<AwsAccess> {
  return around.once(['aws', params.region, params.profile, params.roleArn], async () => {
    const profile = params.profile ?? around.env.AWS_PROFILE ?? around.env.AWS_DEFAULT_PROFILE ?? 'default';
    const { config, shared } = sharedFiles(around.env, profile);
    const region =
      params.region ??
      around.env.AWS_REGION ??
      around.env.AWS_DEFAULT_REGION ??
      config.get('region') ??
      (await instanceRegion(around));
    if (region === undefined || !/^[a-z0-9-]+$/.test(region)) {
      throw notConfigured(
        'AWS',
        region === undefined ? 'no region is configured' : `${JSON.stringify(region)} is no region`,
        'Set AWS_REGION, or add ?region=eu-central-1 to the reference.',
      );
    }
    const found =
      fromEnvironment(params, around) ??
      (await fromFiles({ profile, config, shared, region }, around)) ??
      (await fromWebIdentity(region, around)) ??
      (await containerCredentials(around)) ??
      (await instanceCredentials(around));
    if (!found) {
      throw notConfigured(
        'AWS',
        'no credentials were found: none are in the environment or in files, and no metadata service gives any',
        'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in ~/.aws, or give the machine a role.',
      );
    }
    const credentials = hidden(found, around);
    if (params.roleArn === undefined) return { region, credentials };
    const role = await assumeRole({ region, credentials }, { arn: params.roleArn }, around);
    return { region, credentials: hidden(role, around) };
  });
}

/** The environment's keys; a profile that the reference names wins over them. */
function fromEnvironment({ profile }: AwsParams, { env }: Surroundings): AwsCredentials | undefined {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env;
  const forced = profile ?? (env.FORCE_AWS_PROFILE === 'true' ? env.AWS_PROFILE : undefined);
  if (!id || !secret || forced) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) };
}

type Section = ReadonlyMap<string, string>;

/** A profile's sections of `~/.aws/config` and `~/.aws/credentials`; empty where they are missing. */
function sharedFiles(env: Surroundings['env'], profile: string): { config: Section; shared: Section } {
  const folder = join(env.HOME || homedir(), '.aws');
  const names = profile === 'default' ? ['default', 'profile default'] : [`profile ${profile}`];
  return {
    config: awsSection(env.AWS_CONFIG_FILE ?? join(folder, 'config'), names),
    shared: awsSection(env.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'), [profile]),
  };
}

interface Profile {
  readonly profile: string;
  readonly config: Section;
  readonly shared: Section;
  readonly region: string;
}

/** Keys of a profile, or the role that it assumes with another profile's keys. */
async function fromFiles(
  { profile, config, shared, region }: Profile,
  around: Surroundings,
): Promise<AwsCredentials | undefined> {
  const role = config.get('role_arn') ?? shared.get('role_arn');
  const source = config.get('source_profile') ?? shared.get('source_profile');
  if (role !== undefined && source !== undefined && source !== profile) {
    const files = sharedFiles(around.env, source);
    const credentials = keysOf(files.shared) ?? keysOf(files.config);
    if (credentials)
      return await assumeRole(
        { region, credentials },
        { arn: role, externalId: config.get('external_id') },
        around,
      );
  }
  return keysOf(shared) ?? keysOf(config);
}

function keysOf(section: Section): AwsCredentials | undefined {
  const id = section.get('aws_access_key_id');
  const secret = section.get('aws_secret_access_key');
  const token = section.get('aws_session_token');
  if (!id || !secret) return undefined;
  return { accessKeyId: id, secretAccessKey: secret, ...(token && { sessionToken: token }) };
}

/** The role of a Kubernetes service account or a CI job (IAM roles for service accounts). */
async function fromWebIdentity(region: string, around: Surroundings): Promise<AwsCredentials | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: arn } = around.env;
  if (!file || !arn) return undefined;
  const token = (await readFile(file, 'utf8')).trim();
  return await assumeRoleWithWebIdentity(region, { arn, token }, around);
}

function hidden(credentials: AwsCredentials, around: Surroundings): AwsCredentials {
  around.hide(credentials.secretAccessKey);
  if (credentials.sessionToken !== undefined) around.hide(credentials.sessionToken);
  return credentials;
}
