import type { Command } from 'commander';
import type { Cli } from './cli.ts';

/** A verb's file: its flags, its help, and what it calls. */
export interface Verb {
  /** Adds arguments, options, examples and the action to the bare command. */
  configure(command: Command, cli: Cli): void;
}

interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** Every verb, in the order of the help. A verb's code is loaded when it is asked for. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'init',
    summary: "write a working example, or look at a template's plugins",
    load: () => import('./verbs/init.ts'),
  },
  { name: 'fmt', summary: 'rewrite files in the canonical style', load: () => import('./verbs/fmt.ts') },
  {
    name: 'validate',
    summary: 'check a template and its image file',
    load: () => import('./verbs/validate.ts'),
  },
  {
    name: 'inspect',
    summary: 'show what a template consists of',
    load: () => import('./verbs/inspect.ts'),
  },
  {
    name: 'console',
    summary: 'try expressions in the scope of a template',
    load: () => import('./verbs/console.ts'),
  },
  {
    name: 'hcl2_upgrade',
    summary: 'turn a legacy JSON template into HCL2',
    load: () => import('./verbs/hcl2-upgrade.ts'),
  },
  {
    name: 'fix',
    summary: 'rewrite old forms in a legacy JSON template',
    load: () => import('./verbs/fix.ts'),
  },
  {
    name: 'plugins',
    summary: 'show what is built in, and what a template requires',
    load: () => import('./verbs/plugins.ts'),
  },
  { name: 'plan', summary: 'show what a build would do', load: () => import('./verbs/plan.ts') },
  { name: 'build', summary: 'build, seal, test and release images', load: () => import('./verbs/build.ts') },
  { name: 'test', summary: 'run the tests of built images again', load: () => import('./verbs/test.ts') },
  { name: 'release', summary: 'list and show releases', load: () => import('./verbs/release.ts') },
  { name: 'lookup', summary: "find a release's output", load: () => import('./verbs/lookup.ts') },
  {
    name: 'report',
    summary: 'show what proves a release, as a page, JUnit or JSON',
    load: () => import('./verbs/report.ts'),
  },
  {
    name: 'secrets',
    summary: 'put values in place of secret references, as vals does',
    load: () => import('./verbs/secrets.ts'),
  },
  {
    name: 'render',
    summary: 'make and check user-data and the rest that an instance is told at its launch',
    load: () => import('./verbs/render.ts'),
  },
  {
    name: 'sbom',
    summary: 'list what is in an image, as SPDX or CycloneDX',
    load: () => import('./verbs/sbom.ts'),
  },
  { name: 'diff', summary: 'show what differs between two images', load: () => import('./verbs/diff.ts') },
  { name: 'boot', summary: 'run an image in QEMU, at its console', load: () => import('./verbs/boot.ts') },
  {
    name: 'update',
    summary: 'move the lock to what the archives have now',
    load: () => import('./verbs/update.ts'),
  },
  {
    name: 'outdated',
    summary: 'show which locked inputs have updates',
    load: () => import('./verbs/outdated.ts'),
  },
  {
    name: 'doctor',
    summary: 'check that this machine has what a build needs',
    load: () => import('./verbs/doctor.ts'),
  },
  { name: 'clean', summary: 'recover what killed runs left behind', load: () => import('./verbs/clean.ts') },
  { name: 'cache', summary: 'show and prune the caches', load: () => import('./verbs/cache.ts') },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: () => import('./verbs/completion.ts'),
  },
  { name: 'version', summary: 'print the version', load: () => import('./verbs/version.ts') },
];
