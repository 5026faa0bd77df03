import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { generateKeyPairSync, publicEncrypt, constants } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bcrypt } from '../../../src/template/functions/bcrypt.ts';
import { standardFunctions } from '../../../src/template/functions/index.ts';
import { NOW, run, testScope, value } from '../evaluate-text.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ingot-functions-'));
  mkdirSync(join(dir, 'sub/deep'), { recursive: true });
  writeFileSync(join(dir, 'hello.txt'), 'Hello\n');
  writeFileSync(join(dir, 'sub/a.sh'), '');
  writeFileSync(join(dir, 'sub/deep/b.sh'), '');
  writeFileSync(
    join(dir, 'list.tpl'),
    '%{ for n in names ~}\n- ${upper(n)}\n%{ endfor ~}\n"quoted" $${kept}\n',
  );
  writeFileSync(join(dir, 'self.tpl'), '${templatefile("self.tpl", {})}');
  writeFileSync(join(dir, 'broken.tpl'), 'a ${');
  writeFileSync(join(dir, 'binary'), Buffer.from([0xff, 0xfe, 0x00]));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('files, secrets and chance', () => {
  test.each([
    ['file("hello.txt")', 'Hello\n'],
    ['filebase64("hello.txt")', 'SGVsbG8K'],
    ['fileexists("hello.txt")', true],
    ['fileexists("nope")', false],
    ['fileset(".", "**/*.sh")', ['sub/a.sh', 'sub/deep/b.sh']],
    ['fileset("sub", "*.{sh,txt}")', ['a.sh']],
    ['templatefile("list.tpl", { names = ["x", "y"] })', '- X\n- Y\n"quoted" ${kept}\n'],
  ])('%s', (text, expected) => expect(value(text, testScope(dir))).toEqual(expected));

  test('abspath starts at the folder of the template', () => {
    expect(value('abspath("x/../y")', testScope(dir))).toBe(join(dir, 'y'));
  });

  test('base64gzip', () => {
    const packed = value('base64gzip("hello")') as string;
    expect(gunzipSync(Buffer.from(packed, 'base64')).toString()).toBe('hello');
  });

  test('rsadecrypt', () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const sealed = publicEncrypt(
      { key: publicKey, padding: constants.RSA_PKCS1_PADDING },
      Buffer.from('pässword'),
    );
    const pem = JSON.stringify(privateKey.export({ type: 'pkcs1', format: 'pem' }));
    expect(value(`rsadecrypt("${sealed.toString('base64')}", ${pem})`)).toBe('pässword');
  });

  test('bcrypt agrees with a known answer, and salts', () => {
    // From the test vectors of OpenBSD's bcrypt (jBCrypt, TestBCrypt.java).
    const salt = Buffer.from('144b3d691a7b4ecf39cf735c7fa7a79c', 'hex');
    expect(bcrypt('', 6, salt)).toBe('$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.');
    expect(value('bcrypt("x", 4)')).toMatch(/^\$2a\$04\$[./A-Za-z0-9]{53}$/);
    expect(value('bcrypt("x", 4)')).not.toBe(value('bcrypt("x", 4)'));
  });

  test('uuidv4 is another each time', () => {
    expect(value('uuidv4()')).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(value('uuidv4()')).not.toBe(value('uuidv4()'));
  });

  test.each(['timestamp()', 'uuidv4()', 'bcrypt("x", 4)', 'legacy_isotime()', 'legacy_strftime("%Y")'])(
    '%s is volatile',
    (text) => {
      expect(run(text).value.marks.volatile).toBe(true);
    },
  );
});

describe('refused arguments', () => {
  test.each([
    ['file("binary")', 'file: binary is not UTF-8 text'],
    ['fileexists("sub")', 'fileexists: sub is there and no regular file'],
    ['templatefile("self.tpl", {})', 'templatefile: self.tpl:1:3: there is no function "templatefile"'],
    ['templatefile("list.tpl", {})', 'templatefile: list.tpl:1:13: there is no variable "names" here'],
    ['templatefile("broken.tpl", {})', 'templatefile: broken.tpl:1:3: ${ starts here and has no end'],
  ])('%s', (text, message) => expect(run(text, testScope(dir)).errors).toEqual([message]));
});

test('env reads the environment, where it may be used', () => {
  const functions = standardFunctions({ dir, now: NOW, env: { INGOT_X: 'y' } });
  expect(value('"${env("INGOT_X")}|${env("NONE")}"', { ...testScope(), functions })).toBe('y|');
});
