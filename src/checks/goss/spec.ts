import { attr, bodySpec, type OptionsOf } from '../../core/body-spec.ts';

/** `test "goss" { … }` of an image file. */
export const gossTestSpec = bodySpec({
  file: attr.string('The goss file, relative to the template.', { default: 'goss.yaml' }),
  vars: attr.string('JSON or YAML file with the variables of its templates.'),
  vars_inline: attr.string('JSON or YAML text with more variables, which win.'),
  strict: attr.bool(
    'Whether checks that assert nothing, and those that cannot be decided here, fail the test.',
    { default: false },
  ),
  boot: attr.bool('Whether a copy is booted for what the disk alone does not tell.', { default: true }),
  machine: attr.string('As what a copy is booted: a container, or a virtual machine with its own kernel.', {
    default: 'container',
    oneOf: ['container', 'vm'],
  }),
  retry_timeout: attr.duration('How long failing checks are tried again.', { default: 0 }),
  sleep: attr.duration('Time between tries.', { default: 1000 }),
});

export type GossTestOptions = OptionsOf<typeof gossTestSpec>;
