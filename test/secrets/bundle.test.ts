import { builtinModules } from 'node:module';
import { build, stop } from 'esbuild';
import { expect, test } from 'vitest';
import { importsOf } from '../project/import-rule.ts';
import { root } from '../project/source-files.ts';

test('references become one file for the boot agent: small, and with nothing of npm at run time', async () => {
  const contents = `
    export { expandDocument } from './src/secrets/expand-document.ts';
    export { readYamlStream } from './src/secrets/document.ts';
    export { createResolver } from './src/secrets/resolver.ts';
    export { writeSecretFile } from './src/secrets/write-secret-file.ts';`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node18',
    format: 'esm',
  });
  // esbuild keeps a process for the next build.
  await stop();
  expect(outputFiles).toHaveLength(1);
  const text = outputFiles[0]?.text ?? '';
  expect(text).toContain('createResolver');
  expect(Buffer.byteLength(text)).toBeLessThan(1024 * 1024);
  expect(importsOf(text).filter((name) => !builtinModules.includes(name.replace(/^node:/, '')))).toEqual([]);
});
