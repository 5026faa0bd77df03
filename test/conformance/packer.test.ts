import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runCli } from '../cli/run-cli.ts';
import { conformanceFolder, expectedOutput, type PackerCase, readCases } from './packer-cases.ts';

const folder = conformanceFolder();
const demanded = process.env.INGOT_CONFORMANCE !== undefined;

/** Cases that need what only Packer's Go tests have; argued in docs/language.md, "Commands". */
const EXCEPTIONS = new Map([
  ['build test-fixtures/hcl/datasource.pkr.hcl', 'data "mock" is a double that only Packer\'s Go tests have'],
]);

if (!folder) {
  test.skipIf(!demanded)("Packer's own cases (skipped: ../shared/conformance is not there)", () => {
    expect.fail('INGOT_CONFORMANCE is set, and names no folder with packer/cases.tsv');
  });
} else {
  const cases = readCases(folder);
  const agreed = { valid: 0, invalid: 0 };
  let scratch: string;
  const home = process.cwd();

  beforeEach(() => {
    scratch = realpathSync(mkdtempSync(join(tmpdir(), 'ingot-conformance-')));
    vi.stubEnv('INGOT_CACHE_DIR', join(scratch, 'cache'));
    vi.stubEnv('INGOT_DATA_DIR', join(scratch, 'data'));
  });
  afterEach(() => {
    process.chdir(home);
    vi.unstubAllEnvs();
    rmSync(scratch, { recursive: true });
  });
  afterAll(() => {
    const of = (fails: boolean): number => cases.filter((one) => one.fails === fails).length;
    process.stderr.write(
      `Packer's cases: ${agreed.valid} of ${of(false)} valid ones and ${agreed.invalid} of ${of(true)} invalid ones agree\n`,
    );
  });

  describe("Packer's own cases", () => {
    test('are all there', () => expect(cases.length).toBeGreaterThanOrEqual(124));

    test.each(
      cases.map((one) => [`${one.folder}: ${one.args.join(' ')}${one.stdin && ` < ${one.stdin}`}`, one]),
    )('%s', async (_name, one) => {
      const exception = EXCEPTIONS.get((one as PackerCase).args.join(' '));
      if (exception !== undefined) {
        process.stderr.write(`not asked for: ${exception}\n`);
        return;
      }
      await check(one as PackerCase);
      agreed[(one as PackerCase).fails ? 'invalid' : 'valid']++;
    });
  });

  async function check(one: PackerCase): Promise<void> {
    const cwd = join(scratch, 'cwd');
    cpSync(join(folder as string, 'fixtures', one.folder), cwd, { recursive: true });
    process.chdir(cwd);
    for (const [name, value] of Object.entries(one.env)) vi.stubEnv(name, value);
    const { code, stdout, stderr } = await runCli(one.args, {}, Readable.from([one.stdin]));
    const said = `exit code ${code}\n${stdout}${stderr}`;
    expect(code === 0, said).toBe(!one.fails);
    expect(stderr).not.toContain('internal/unexpected');
    for (const file of one.present)
      expect(existsSync(join(cwd, file)), `${file} is there\n${said}`).toBe(true);
    for (const file of one.absent) expect(existsSync(join(cwd, file)), `${file} is not there`).toBe(false);
    if (one.args[0] === 'hcl2_upgrade') {
      const expected = readFileSync(join(dirname(one.args.at(-1) as string), 'expected.pkr.hcl'), 'utf8');
      expect(stdout).toBe(expected);
    } else if (/^["`s]/.test(one.stdout)) expect(stdout).toBe(expectedOutput(one.stdout, cwd));
  }
}
