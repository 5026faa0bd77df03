import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signAwsRequest } from '../../src/core/aws-signature.ts';
import { expandText } from '../../src/secrets/expand.ts';
import { createResolver } from '../../src/secrets/resolver.ts';
import { goTool, moto, output } from './real-tools.ts';
import { KEYS, REGION, RunningMoto } from './running-moto.ts';

const server = moto();

describe.skipIf(server.missing)(
  `AWS against moto${server.missing ? ` (skipped: ${server.missing})` : ''}`,
  () => {
    const path = server.path;
    let running: RunningMoto;
    let endpoint: string;
    let folder: string;
    let env: Record<string, string>;
    const json: RunningMoto['json'] = (...args) => running.json(...args);

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'ingot-aws-'));
      running = await RunningMoto.start(server);
      ({ endpoint } = running);
      env = {
        HOME: folder,
        AWS_ENDPOINT_URL: endpoint,
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      };
      await json('secretsmanager', 'secretsmanager.CreateSecret', {
        Name: 'team/db',
        SecretString: '{"pw": "hunter2", "n": 5}',
      });
      await json('secretsmanager', 'secretsmanager.PutSecretValue', {
        SecretId: 'team/db',
        SecretString: '{"pw": "hunter3", "n": 6}',
      });
      await json('secretsmanager', 'secretsmanager.CreateSecret', {
        Name: 'bin',
        SecretBinary: Buffer.from('bytes').toString('base64'),
      });
      await json('secretsmanager', 'secretsmanager.CreateSecret', {
        Name: 'listed/meta',
        SecretString: '{"github.com/helmfile/vals": ["a", "b"]}',
      });
      for (const name of ['a', 'b'])
        await json('secretsmanager', 'secretsmanager.CreateSecret', {
          Name: `listed/${name}`,
          SecretString: name,
        });
      for (const [Name, Value] of [
        ['/foo/bar', '{"BAR": "VALUE"}'],
        ['/foo/bar/a', 'A'],
        ['/foo/bar/b', 'B'],
      ])
        await json('ssm', 'AmazonSSM.PutParameter', { Name, Value, Type: 'SecureString' });
      for (let i = 0; i < 25; i++)
        await json('ssm', 'AmazonSSM.PutParameter', { Name: `/many/p${i}`, Value: `v${i}`, Type: 'String' });
      await json('ssm', 'AmazonSSM.PutParameter', {
        Name: '/foo/bar/a',
        Value: 'A2',
        Type: 'SecureString',
        Overwrite: true,
      });
      const location = `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`;
      await s3('PUT', '/bucket', location);
      await s3('PUT', '/bucket/a%20b/%27k%27%28%2B%29.yaml', 'x: {y: object}');
      await s3(
        'PUT',
        '/bucket/state/terraform.tfstate',
        JSON.stringify({ version: 4, outputs: { host: { value: 'db1', type: 'string' } }, resources: [] }),
      );
    }, 120_000);
    afterAll(async () => {
      await running?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    async function s3(method: string, place: string, body: string): Promise<void> {
      const url = new URL(place, endpoint);
      const headers = { 'x-amz-content-sha256': createHash('sha256').update(body).digest('hex') };
      const signed = signAwsRequest({ method, url, headers, body }, KEYS, {
        region: REGION,
        service: 's3',
        now: new Date(),
      });
      const answer = await fetch(url, { method, headers: { ...headers, ...signed }, body });
      if (!answer.ok) throw new Error(await answer.text());
    }

    async function resolve(
      text: string,
      extra: Readonly<Record<string, string | undefined>> = {},
    ): Promise<unknown> {
      const resolver = createResolver({ env: { ...env, ...extra } });
      return await expandText(text, { lookup: (reference) => resolver.lookup(reference) });
    }

    test.each([
      ['ref+awssecrets://team/db#/pw', 'hunter3'],
      ['ref+awssecrets://team/db#/n', 6],
      ['ref+awssecrets://team/db?version_stage=AWSPREVIOUS#/pw', 'hunter2'],
      ['ref+awssecrets://bin', 'bytes'],
      ['ref+awssecrets://listed#/b', 'b'],
      ['ref+awssecrets://none?default=d', 'd'],
      ['ref+awsssm://foo/bar', '{"BAR": "VALUE"}'],
      ['ref+awsssm://foo#/bar', '{"BAR": "VALUE"}'],
      ['ref+awsssm://foo/bar/a', 'A2'],
      ['ref+awsssm://foo/bar/a?version=1', 'A'],
      ['ref+awsssm://foo/bar#/b', 'B'],
      ['ref+awsssm://foo?recursive=true#/bar/a', 'A2'],
      ['ref+awsssm://foo/bar?mode=singleparam#/BAR', 'VALUE'],
      ['ref+awsssm://many#/p24', 'v24'],
      ["ref+s3://bucket/a%20b/'k'(%2B).yaml#/x/y", 'object'],
      ['ref+tfstates3://bucket/state/terraform.tfstate/output.host', 'db1'],
    ])('%s', async (reference, expected) => expect(await resolve(reference)).toEqual(expected));

    test.each([
      ['ref+awssecrets://none', 'secrets/not-found'],
      ['ref+awsssm://none', 'secrets/not-found'],
      ['ref+awsssm://none#/x', 'secrets/not-found'],
      ['ref+s3://bucket/none', 'secrets/not-found'],
      ['ref+s3://bucket/../x', 'secrets/bad-reference'],
      ['ref+awskms://bm9uc2Vuc2U=', 'secrets/bad-answer'],
      ['ref+awskms://a.b', 'secrets/bad-reference'],
    ])('%s fails with %s', async (reference, code) => {
      await expect(resolve(reference)).rejects.toMatchObject({ code });
    });

    test('an ARN, KMS with a context, and a state behind its backend file', async () => {
      const { ARN } = await json('secretsmanager', 'secretsmanager.DescribeSecret', { SecretId: 'team/db' });
      expect(await resolve(`ref+awssecrets://${String(ARN)}#/pw`)).toBe('hunter3');
      const { KeyMetadata } = await json('kms', 'TrentService.CreateKey', {});
      const input = {
        KeyId: (KeyMetadata as { KeyId: string }).KeyId,
        Plaintext: Buffer.from('a: {b: deep}').toString('base64'),
        EncryptionContext: { app: 'x' },
      };
      const { CiphertextBlob } = await json('kms', 'TrentService.Encrypt', input);
      const text = Buffer.from(String(CiphertextBlob), 'base64').toString('base64url');
      const padded = text.padEnd(Math.ceil(text.length / 4) * 4, '=');
      expect(await resolve(`ref+awskms://${padded}?context=%7B%22app%22%3A%22x%22%7D#/a/b`)).toBe('deep');
      const config = { bucket: 'bucket', key: 'state/terraform.tfstate', region: REGION };
      writeFileSync(
        join(folder, 'pointer.tfstate'),
        JSON.stringify({ version: 3, backend: { type: 's3', config } }),
      );
      expect(await resolve(`ref+tfstate://${folder}/pointer.tfstate/output.host`)).toBe('db1');
    });

    test('roles, profiles, and the metadata services', async () => {
      const arn = 'arn:aws:iam::123456789012:role/reader';
      expect(await resolve(`ref+awssecrets://team/db?role_arn=${arn}#/pw`)).toBe('hunter3');
      const keys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
      writeFileSync(
        join(folder, 'credentials'),
        '[base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n',
      );
      writeFileSync(
        join(folder, 'config'),
        `[profile p]\nrole_arn = ${arn}\nsource_profile = base\nregion = ${REGION}\n`,
      );
      const files = {
        ...keys,
        AWS_REGION: undefined,
        AWS_CONFIG_FILE: join(folder, 'config'),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      };
      expect(await resolve('ref+awssecrets://team/db?profile=p#/pw', files)).toBe('hunter3');
      writeFileSync(join(folder, 'token'), 'jwt');
      const web = { ...keys, AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token'), AWS_ROLE_ARN: arn };
      expect(await resolve('ref+awssecrets://team/db#/pw', web)).toBe('hunter3');
      await expect(resolve('ref+awssecrets://team/db#/pw', keys)).rejects.toMatchObject({
        code: 'secrets/not-configured',
      });
    });

    test('requests are signed as botocore signs them', async () => {
      const now = new Date('2026-01-02T03:04:05Z');
      const url = new URL(
        'https://bucket.s3.eu-central-1.amazonaws.com/a%20b/%27k%27%28%2B%29~?versionId=x%2By',
      );
      const headers = { 'x-amz-content-sha256': createHash('sha256').digest('hex') };
      const ours = signAwsRequest(
        { method: 'GET', url, headers, body: '' },
        { ...KEYS, sessionToken: 't' },
        { region: REGION, service: 's3', now },
      );
      const script = `
import sys, datetime
from unittest import mock
import botocore.auth, botocore.credentials, botocore.awsrequest
now = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
request = botocore.awsrequest.AWSRequest(method='GET', url=sys.argv[1], headers={'x-amz-content-sha256': sys.argv[2]})
credentials = botocore.credentials.Credentials('${KEYS.accessKeyId}', '${KEYS.secretAccessKey}', 't')
names = [n for n in ('get_current_datetime',) if hasattr(botocore.auth, n)]
with mock.patch('botocore.auth.get_current_datetime', lambda *a, **k: now.replace(tzinfo=None)) if names else mock.patch('botocore.auth.datetime') as m:
    if not names: m.datetime.utcnow.return_value = now
    botocore.auth.S3SigV4Auth(credentials, 's3', '${REGION}').add_auth(request)
print(request.headers['Authorization'], end='')`;
      const theirs = output(join(path, '../python'), [
        '-c',
        script,
        url.href,
        headers['x-amz-content-sha256'],
      ]).toString();
      expect(ours.authorization).toBe(theirs);
    });

    const sops = goTool('sops');
    test.skipIf(sops.missing)('a sops file under a key of KMS', async () => {
      const { KeyMetadata } = await json('kms', 'TrentService.CreateKey', {});
      const file = join(folder, 'sealed.yaml');
      writeFileSync(file, 'pw: hunter2\n');
      const args = [
        '-e',
        '-i',
        '--kms',
        (KeyMetadata as { Arn: string }).Arn,
        '--encryption-context',
        'app:x',
        file,
      ];
      output(sops.path, args, { env: { ...env, PATH: process.env.PATH } });
      expect(await resolve(`ref+sops://${file}#/pw`)).toBe('hunter2');
    });

    test('the role of an instance, by its metadata', async () => {
      const instance = {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_EC2_METADATA_DISABLED: undefined,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
      };
      expect(await resolve('ref+awssecrets://team/db#/pw', instance)).toBe('hunter3');
    });

    const vals = goTool('vals');
    test.skipIf(vals.missing)('vals gives the same', async () => {
      for (const reference of [
        'ref+awssecrets://team/db#/pw',
        'ref+awsssm://foo/bar/a',
        'ref+awsssm://foo?recursive=true#/bar/b',
        'ref+awssecrets://listed#/a',
      ]) {
        const theirs = output(vals.path, ['get', reference], {
          env: { ...env, PATH: process.env.PATH, AWS_DEFAULT_REGION: REGION },
        }).toString();
        expect(await resolve(reference), reference).toBe(theirs);
      }
    });
  },
);
