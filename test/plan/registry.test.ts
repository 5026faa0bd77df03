import { expect, test } from 'vitest';
import { registryAnnotations } from '../../src/plan/registry.ts';
import type { BuildBlock } from '../../src/template/index.ts';

test('what HCP would be told stands in the annotations; a build without it has none', () => {
  const build = {
    registry: { bucketName: 'web', description: 'a server', labels: new Map([['os', 'debian']]) },
  };
  expect(registryAnnotations(build as unknown as BuildBlock)).toEqual({
    'dev.ingot.bucket': 'web',
    'org.opencontainers.image.description': 'a server',
    'dev.ingot.label.os': 'debian',
  });
  expect(registryAnnotations({} as BuildBlock)).toEqual({});
});
