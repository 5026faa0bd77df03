import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { IngotError } from '../../core/error.ts';
import { decryptAge } from '../age/decrypt.ts';
import { type Identity, readIdentities } from '../age/identity.ts';
import { callAws } from '../aws/call.ts';
import { isMap } from '../document.ts';
import type { Request, Surroundings } from '../provider.ts';
import { answerObject } from '../refusal.ts';
import { below } from '../service-url.ts';
import { vaultAccess } from '../vault/access.ts';

type Entry = Readonly<Record<string, unknown>>;

/** The ways to a file's key that we have, by their names in sops's metadata, in the order in which they are tried. */
const WAYS: Readonly<
  Record<string, (entry: Entry, request: Request, around: Surroundings) => Promise<Buffer>>
> = {
  age: byAge,
  kms: byAwsKms,
  hc_vault: byVault,
};

/**
 * The key of a sops file, by the first of its master keys that we can use: age, AWS KMS, or Vault's transit engine.
 * Throws `secrets/denied` with what each of them said.
 */
export async function sopsDataKey(
  metadata: Readonly<Record<string, unknown>>,
  request: Request,
  around: Surroundings,
): Promise<Buffer> {
  if (Array.isArray(metadata.key_groups) && metadata.key_groups.length > 1) {
    throw new IngotError('secrets/unsupported', 'sops files with several key groups are not supported yet', {
      hint: 'Encrypt the file with one key group.',
    });
  }
  const failures: string[] = [];
  for (const [name, way] of Object.entries(WAYS)) {
    const entries = metadata[name];
    for (const entry of Array.isArray(entries) ? entries.filter(isMap) : []) {
      try {
        const key = await way(entry, request, around);
        if (key.length === 32) return key;
        failures.push(`${name}: a key of ${key.length} bytes`);
      } catch (error) {
        failures.push(`${name}: ${(error as Error).message}`);
      }
    }
  }
  const said = failures.length === 0 ? 'it has no master key of age, AWS KMS or Vault' : failures.join('; ');
  throw new IngotError('secrets/denied', `the sops file can't be opened: ${said}`, {
    hint: 'Set SOPS_AGE_KEY_FILE to an age key, or the credentials of the key management service.',
  });
}

async function byAge(entry: Entry, _request: Request, around: Surroundings): Promise<Buffer> {
  const identities = await around.once(['age identities'], () => ageIdentities(around));
  return decryptAge(Buffer.from(String(entry.enc)), identities);
}

/** SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, and the user's own key file. */
async function ageIdentities(around: Surroundings): Promise<Identity[]> {
  const { env } = around;
  const texts: string[] = [];
  if (env.SOPS_AGE_KEY) texts.push(env.SOPS_AGE_KEY);
  if (env.SOPS_AGE_KEY_FILE) texts.push(await readFile(env.SOPS_AGE_KEY_FILE, 'utf8'));
  if (env.SOPS_AGE_KEY_CMD) {
    const [command = '', ...args] = env.SOPS_AGE_KEY_CMD.trim().split(/\s+/);
    texts.push((await around.run(command, args, { env: {}, timeoutMs: 30_000 })).stdout);
  }
  const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  texts.push(await readFile(join(config, 'sops/age/keys.txt'), 'utf8').catch(() => ''));
  for (const key of texts.flatMap((text) => text.match(/AGE-SECRET-KEY-1[A-Z0-9]+/g) ?? [])) around.hide(key);
  return texts.flatMap(readIdentities);
}

async function byAwsKms(entry: Entry, request: Request, around: Surroundings): Promise<Buffer> {
  const arn = String(entry.arn);
  const role = typeof entry.role === 'string' && entry.role !== '' ? entry.role : undefined;
  const answer = await callAws(
    {
      region: request.param('region') ?? arn.split(':')[3],
      profile: request.param('profile'),
      roleArn: request.param('role_arn') ?? role,
    },
    {
      service: 'kms',
      target: 'TrentService.Decrypt',
      input: {
        CiphertextBlob: String(entry.enc),
        KeyId: arn,
        ...(isMap(entry.context) && { EncryptionContext: entry.context }),
      },
      what: `the key ${arn}`,
    },
    around,
  );
  return Buffer.from(String(answer.Plaintext), 'base64');
}

/** Vault's transit engine (Vault HTTP API, Transit secrets engine, Decrypt data). */
async function byVault(entry: Entry, request: Request, around: Surroundings): Promise<Buffer> {
  const address = String(entry.vault_address);
  const param = (name: string): string | undefined => (name === 'address' ? address : undefined);
  const flavor = { backend: 'vault', prefix: 'VAULT', tokenFile: '.vault-token' } as const;
  const { server, headers } = await vaultAccess({ ...request, param }, flavor, around);
  const answer = await around.fetch({
    url: below(server.url, 'v1', `${String(entry.engine_path)}/decrypt/${String(entry.key_name)}`),
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ ciphertext: entry.enc }),
    tls: server.tls,
  });
  const { data } = answerObject(answer, server.url.origin, `the key ${String(entry.key_name)}`);
  return Buffer.from(String(isMap(data) ? data.plaintext : ''), 'base64');
}
