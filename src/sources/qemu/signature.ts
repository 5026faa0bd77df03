import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../../core/context.ts';
import { IngotError } from '../../core/error.ts';

/**
 * Checks a list of checksums against its detached signature (RFC 4880, section 11.4) with gpgv: at least one good
 * signature by a key of the keyring, and no bad one. Throws `qemu/bad-signature`.
 */
export async function verifyList(
  list: Uint8Array,
  signature: Uint8Array,
  keyring: string,
  where: string,
  ctx: Pick<Context, 'host' | 'workDir' | 'signal'>,
): Promise<void> {
  await using scratch = await ctx.host.scratch(ctx.workDir, 'verify-');
  const [signed, text] = [join(scratch.dir, 'signature'), join(scratch.dir, 'list')];
  await writeFile(signed, signature);
  await writeFile(text, list);
  const { stdout, stderr } = await ctx.host.run(
    'gpgv',
    ['--status-fd', '1', '--keyring', keyring, '--', signed, text],
    { okCodes: 'any', signal: ctx.signal, env: { GNUPGHOME: scratch.dir } },
  );
  const status = new Set([...stdout.matchAll(/^\[GNUPG:\] (\S+)/gm)].map((match) => match[1]));
  if (status.has('GOODSIG') && status.has('VALIDSIG') && !status.has('BADSIG')) return;
  const why = status.has('BADSIG')
    ? 'its signature does not fit its content'
    : status.has('NO_PUBKEY')
      ? 'no signature is by a key of the keyring'
      : 'there is no valid signature';
  throw new IngotError('qemu/bad-signature', `the list of checksums ${where}: ${why} (keyring ${keyring})`, {
    hint: "Set iso_checksum_keyring to a binary keyring with the publisher's key (gpg --export KEY > keyring.gpg).",
    output: stderr.split('\n').filter((line) => line !== ''),
  });
}
