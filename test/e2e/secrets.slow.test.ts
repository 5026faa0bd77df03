import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Finished, Workspace } from './ingot.ts';

// Secrets in a finished image, through the real command line: those that the build used, and those of others.

const TEMPLATE = `
source "mmdebstrap" "base" {
  packages = ["iproute2"]
  kernel   = "linux-image-cloud-amd64"
}

build {
  sources = ["source.mmdebstrap.base"]

  provisioner "shell" {
    script = "setup.sh"
  }
}
`;
const image = (compression: string): string => `image "web" {
  version = "1.0.0"
  output "qcow2" { compression = "${compression}" }
}
`;
const script = (...lines: string[]): string => `#!/bin/sh -e\n${lines.join('\n')}\n`;

let ws: Workspace;
const write = (name: string, text: string): void => writeFileSync(ws.path(name), text);

beforeAll(() => void (ws = Workspace.withDownloads()));
afterAll(() => ws.remove());
beforeEach(() => {
  write('web.pkr.hcl', TEMPLATE);
  write('web.ingot.hcl', image('none'));
});
afterEach(() => {
  rmSync(join(ws.path('output-web')), { recursive: true, force: true });
  expect(ws.residue()).toEqual([]);
});

describe('a secret', () => {
  const TOKEN = 't0ken+of/the?build';
  const withToken = (...lines: string[]): void => {
    write(
      'web.pkr.hcl',
      `variable "token" {\n  default   = "${TOKEN}"\n  sensitive = true\n}\n${TEMPLATE.replace(
        'script = ',
        'environment_vars = ["TOKEN=${var.token}"]\n    script = ',
      )}`,
    );
    write('setup.sh', script(...lines));
  };
  const told = async (): Promise<Finished & { all: string }> => {
    const finished = await ws.run('build', '.');
    const all = finished.stdout + finished.stderr;
    expect(all).not.toContain(TOKEN);
    return { ...finished, all };
  };

  test('that stays in the image fails the build, in whatever form, and is never shown', async () => {
    withToken(
      'echo "a=$TOKEN" > /etc/app.conf',
      'printf "user:$TOKEN" | base64 > /srv/netrc',
      'mkdir -p /usr/share/doc/app; printf "x $TOKEN x" | gzip -n > /usr/share/doc/app/notes.gz',
      'printf %s "$TOKEN" | iconv -t UTF-16LE > /srv/app.reg',
    );
    const { exitCode, all } = await told();
    expect(exitCode).toBe(1);
    expect(all).toContain('the value of var.token is in the image');
    for (const place of [
      'as it is in /etc/app.conf',
      'in base64 in /srv/netrc',
      'in UTF-16 in /srv/app.reg',
      'as it is in what is packed with gzip in /usr/share/doc/app/notes.gz',
    ])
      expect(all).toContain(place);
  });

  test('that a reference stands for is fetched when the step runs, and found where it stays', async () => {
    write('token.txt', TOKEN);
    const reference = `ref+file://${ws.path('token.txt')}`;
    withToken('test "$TOKEN" = "t0ken+of/the?build"; echo "a=$TOKEN" > /etc/app.conf; echo "$TOKEN"');
    write(
      'web.pkr.hcl',
      TEMPLATE.replace('script = ', `environment_vars = ["TOKEN=${reference}"]\n    script = `),
    );
    const { exitCode, all } = await told();
    expect(exitCode).toBe(1);
    expect(all).toContain(`the value of ${reference} is in the image: as it is in /etc/app.conf`);
  });

  test('may stay where the image file says so, with the reason', async () => {
    withToken('echo "a=$TOKEN" > /etc/app.conf');
    const allow = '  residue {\n    allow = { "var.token" = "a test" }\n  }\n}\n';
    write('web.ingot.hcl', image('none').replace(/\}\n$/, allow));
    expect((await told()).exitCode).toBe(0);
  });

  test('of any kind is found by its form, by rules of gitleaks', async () => {
    const key = 'MIIEpAIBAAKCAQEAx7Kq2Lm9Zp4Lw8QyVb3Nc6Td1Rf5Gh0Jk'.repeat(3);
    write(
      'setup.sh',
      script(
        'mkdir /etc/app',
        `cat > /etc/app/id_rsa <<EOF
-----BEGIN RSA PRIVATE KEY-----
${key}
-----END RSA PRIVATE KEY-----
EOF`,
      ),
    );
    const withTest = (body: string): void =>
      write('web.ingot.hcl', image('none').replace(/\}\n$/, `  test "secrets" {${body}}\n}\n`));
    withTest('');
    const failed = await ws.run('build', '.');
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout + failed.stderr).toMatch(
      /\/etc\/app\/id_rsa:1 holds a private key.*rule private-key/,
    );
    expect(failed.stdout + failed.stderr).not.toContain(key.slice(0, 20));
    withTest('\n    rules = "rules.toml"\n');
    write('rules.toml', '[extend]\nuseDefault = true\ndisabledRules = ["private-key"]\n');
    expect((await ws.run('build', '.')).exitCode).toBe(0);
    write('rules.toml', '[extend]\nuseDefault = true\n');
    expect((await ws.run('build', '.')).exitCode).toBe(1);
    write('rules.toml', '[[rule]]\n');
    expect((await ws.run('build', '.')).stderr).toContain('[patterns/bad-rules]');
    withTest('\n    rules = "none.toml"\n');
    expect((await ws.run('build', '.')).stderr).toMatch(/\[plan\/file-missing\][^]*web\.ingot\.hcl:4/);
    withTest('\n    allow = { "/etc/app/id_rsa" = "a test" }\n');
    expect((await ws.run('build', '.')).exitCode).toBe(0);
  });

  test('that only the build saw is searched, and not found', async () => {
    withToken('test -n "$TOKEN"');
    const report = await ws.build();
    const [outcome] = report.images[0]?.tests ?? [];
    expect(outcome).toMatchObject({
      type: 'residue',
      outcome: { passed: true, checks: [{ name: 'var.token', passed: true }] },
    });
    expect((await ws.build()).images[0]?.steps.ran).toBe(0);
  });
});
