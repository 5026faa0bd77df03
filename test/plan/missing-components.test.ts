import { expect, test } from 'vitest';
import { type Diagnostic, startOf } from '../../src/core/diagnostic.ts';
import { MissingComponents } from '../../src/plan/missing-components.ts';
import type { ComponentKind } from '../../src/plan/official-plugins.ts';
import type { Template } from '../../src/template/index.ts';

function refuse(kind: ComponentKind, type: string): Diagnostic | undefined {
  const diagnostics: Diagnostic[] = [];
  const template = { requiredPlugins: [] } as unknown as Template;
  new MissingComponents(template, 'refuse').add(
    kind,
    { type, range: startOf('web.pkr.hcl') },
    ['shell', 'file'],
    diagnostics,
  );
  return diagnostics[0];
}

test.each([
  ['powershell', 'WinRM, which Ingot does not speak yet'],
  ['windows-shell', 'WinRM, which Ingot does not speak yet'],
  ['windows-restart', 'WinRM, which Ingot does not speak yet'],
  ['windows-update', 'WinRM, which Ingot does not speak yet'],
  ['chef-solo', 'its installer is a script that nothing verifies'],
  ['chef-client', 'makes the machine a client of a Chef server'],
  ['puppet-server', 'it is known, but not built into Ingot'],
])('provisioner %s is refused in one sentence', (type, reason) => {
  const diagnostic = refuse('provisioners', type);
  expect(diagnostic).toMatchObject({ code: 'plan/unsupported-component', severity: 'error' });
  expect(diagnostic?.message).toMatch(new RegExp(`^the provisioner "${type}" cannot be built: .*${reason}`));
  expect(diagnostic?.hint).toMatch(/\.$/);
});

test('the reason of a provisioner is none of a post-processor', () => {
  expect(refuse('postProcessors', 'powershell')?.code).toBe('plan/unknown-post-processor');
  expect(refuse('provisioners', 'constructor')?.code).toBe('plan/unknown-provisioner');
});

test('an unknown type is answered by the nearest', () => {
  expect(refuse('provisioners', 'shel')).toMatchObject({
    code: 'plan/unknown-provisioner',
    hint: 'Did you mean "shell"?',
  });
});
