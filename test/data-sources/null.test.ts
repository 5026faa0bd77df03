import { expect, test } from 'vitest';
import { nullData } from '../../src/data-sources/null.ts';
import { fakeContext } from '../provisioners/fake-machine.ts';
import { optionsOf } from '../provisioners/options.ts';

test('answers what it is given', async () => {
  const options = await optionsOf(nullData, 'input = "a"');
  expect(await nullData.read(options, fakeContext('/').ctx)).toEqual({ output: 'a' });
  await expect(optionsOf(nullData, '')).rejects.toThrow('input');
});
