import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';

/**
 * Verifies a clear-signed file (RFC 4880, section 7) with gpgv and answers the text that was signed, and
 * nothing beside it. As apt: one good signature of a key in the keyring is enough, a bad one is too much.
 */
export async function verifySigned(
  signed: Uint8Array,
  keyring: string,
  where: string,
  ctx: Pick<Context, 'host' | 'workDir' | 'signal'>,
): Promise<string> {
  if (!existsSync(keyring)) {
    throw new IngotError(
      'apt/no-keyring',
      `keyring ${keyring} does not exist; it is needed to verify ${where}`,
      {
        hint: "Debian's own: apt-get install debian-archive-keyring. Else set keyring to the archive's.",
      },
    );
  }
  await using scratch = await ctx.host.scratch(ctx.workDir, 'verify-');
  const input = join(scratch.dir, 'signed');
  const output = join(scratch.dir, 'text');
  await writeFile(input, signed);
  const result = await ctx.host.run(
    'gpgv',
    ['--status-fd', '1', '--keyring', keyring, '--output', output, input],
    { okCodes: 'any', signal: ctx.signal, env: { GNUPGHOME: scratch.dir } },
  );
  const status = [...result.stdout.matchAll(/^\[GNUPG:\] (\S+)/gm)].map((match) => match[1] ?? '');
  if (status.includes('GOODSIG') && status.includes('VALIDSIG') && !status.includes('BADSIG')) {
    return await readFile(output, 'utf8');
  }
  throw new IngotError('apt/bad-signature', `${where}: ${verdict(status)} (keyring ${keyring})`, {
    hint: "Set keyring to the one that holds the archive's key, or name another mirror: an unsigned or altered archive is never used.",
    output: result.stderr.split('\n').filter((line) => line !== ''),
  });
}

function verdict(status: readonly string[]): string {
  if (status.includes('BADSIG')) return 'the signature does not fit the content';
  if (status.includes('EXPKEYSIG')) return 'the key of the signature has expired';
  if (status.includes('REVKEYSIG')) return 'the key of the signature was revoked';
  if (status.includes('EXPSIG')) return 'the signature has expired';
  if (status.includes('NO_PUBKEY')) return 'no signature is by a key of the keyring';
  return 'it carries no signature';
}
