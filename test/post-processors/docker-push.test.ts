import { expect, test } from 'vitest';
import { dockerPushPostProcessor as plugin } from '../../src/post-processors/docker-push.ts';
import { FakeEngine } from '../machines/docker/fake-engine.ts';
import { optionsOf } from '../provisioners/options.ts';
import { dockerContext, imageArtifact } from './docker-context.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const LOGIN = 'login = true\n login_username = "u"\n login_password = "p"';
const run = async (hcl: string, ...names: string[]) =>
  await plugin.process(imageArtifact(...names), (await optionsOf(plugin, hcl)) as never, dockerContext);

test('every name is pushed, with the login, and the digest is told', async () => {
  await using engine = await FakeEngine.start(() => ({
    text: `{"status":"Pushing"}\n{"aux":{"Digest":"${DIGEST}"}}\n`,
  }));
  const { artifact } = await run(LOGIN, 'r.example:5000/team/web:1', 'r.example:5000/team/web');
  expect(engine.asked.map(({ path, query }) => `${path} ${query.get('tag')}`)).toEqual([
    '/images/r.example:5000/team/web/push 1',
    '/images/r.example:5000/team/web/push latest',
  ]);
  const header = engine.asked[0]?.headers['x-registry-auth'] as string;
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
    username: 'u',
    password: 'p',
    serveraddress: 'r.example:5000',
  });
  expect(artifact.metadata?.Digest).toBe(DIGEST);
});

test('an error at the end of the answer is an error', async () => {
  await using _engine = await FakeEngine.start(() => ({ text: '{"status":"x"}\n{"error":"denied"}\n' }));
  await expect(run(LOGIN, 'r.example/web:1')).rejects.toMatchObject({ code: 'machine/docker-refused' });
});

test.each([
  ['login = true', /needs login_username/],
  ['ecr_login = true', /ecr_login is not supported/],
  ['docker_path = "podman"', /docker_path is not supported/],
  ['platform = "linux/arm64"', /platform is not supported/],
])('%s is refused', async (hcl, message) => {
  await expect(optionsOf(plugin, hcl)).rejects.toThrow(message);
});
