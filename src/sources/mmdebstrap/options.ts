import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import type { Digest } from '../../core/digest.ts';
import { parseSnapshot } from './archives.ts';

export const VARIANTS = ['essential', 'apt', 'minbase', 'important', 'standard'] as const;
export type Variant = (typeof VARIANTS)[number];

/** Priorities whose packages a variant has besides the essential ones (deb-control(5), Debian Policy 2.5). */
export const PRIORITIES: Record<Variant, readonly string[]> = {
  essential: [],
  apt: [],
  minbase: ['required'],
  important: ['required', 'important'],
  standard: ['required', 'important', 'standard'],
};

/** deb-control(5): a package's name; then, as apt-get(8) has them, architecture and version. */
const PACKAGE = /^[a-z0-9][a-z0-9+.-]+(:[a-z0-9-]+)?(=[0-9A-Za-z.+:~-]+)?$/;
/** Suites and components become parts of paths and of apt's source lines. */
const WORD = /^[A-Za-z0-9][A-Za-z0-9+._-]*(\/[A-Za-z0-9][A-Za-z0-9+._-]*)*$/;

/** What `source "mmdebstrap" "name" { … }` may hold. */
export const body = bodySpec(
  {
    suite: attr.string('Debian suite; its -updates and -security suites come with it.', {
      default: 'bookworm',
    }),
    mirrors: attr.strings(
      "Where the archive is: URLs, or whole source lines (`deb URL suite component…`). Default: the host's apt sources.",
    ),
    components: attr.strings('Components of the archive.', { default: ['main'] }),
    packages: attr.strings('Packages besides those of the variant; recommended packages are not added.', {
      default: [],
    }),
    arch: attr.string('Architecture of the image.', { default: 'amd64' }),
    variant: attr.string(
      'Which packages the system starts with: essential, apt (+ apt), minbase (+ priority required), important, standard.',
      { default: 'minbase', oneOf: VARIANTS },
    ),
    keyring: attr.string("OpenPGP keyring that the archive's signatures are verified with.", {
      default: '/usr/share/keyrings/debian-archive-keyring.gpg',
    }),
    kernel: attr.string('Kernel package, or "none".', { default: 'linux-image-cloud-amd64' }),
    snapshot: attr.string('Take the archive as it was on this day (2026-06-01 or 20260601T120000Z).'),
    boot: attr.bool('Run systemd while provisioning, so that systemctl works.', { default: false }),
  },
  {},
  (options) => problems(options),
);

/** Decoded options, or what pinning made of them: `mirrors` and `keyring` gone, `locked` there. */
export interface MmdebstrapOptions extends Omit<OptionsOf<typeof body>, 'keyring'> {
  readonly keyring?: string;
  /** Digest of the lock entry, which the package cache keeps as a blob. Set by pinning. */
  readonly locked?: Digest;
}

interface Checked {
  readonly arch: string;
  readonly suite: string;
  readonly components: readonly string[];
  readonly packages: readonly string[];
  readonly kernel: string;
  readonly snapshot: string | undefined;
}

function problems(options: Checked): OptionProblem[] {
  const found: OptionProblem[] = [];
  if (options.arch !== 'amd64') {
    found.push({
      path: ['arch'],
      message: `arch "${options.arch}" cannot be built: images of amd64 only`,
      hint: 'Set arch = "amd64" or leave it out.',
    });
  }
  if (!WORD.test(options.suite)) {
    found.push({ path: ['suite'], message: `"${options.suite}" is no suite's name, such as bookworm` });
  }
  options.components.forEach((name, i) => {
    if (!WORD.test(name)) {
      found.push({ path: ['components', i], message: `"${name}" is no component's name, such as main` });
    }
  });
  options.packages.forEach((name, i) => {
    if (!PACKAGE.test(name)) {
      found.push({
        path: ['packages', i],
        message: `"${name}" is no package's name, such as nginx or nginx=1.22.1-9`,
        hint: 'One package an item; versions are joined by "=".',
      });
    }
  });
  if (options.kernel !== 'none' && !PACKAGE.test(options.kernel)) {
    found.push({ path: ['kernel'], message: `"${options.kernel}" is neither a package's name nor "none"` });
  }
  if (options.snapshot !== undefined && parseSnapshot(options.snapshot) === undefined) {
    found.push({
      path: ['snapshot'],
      message: `snapshot "${options.snapshot}" is no date`,
      hint: 'Write 2026-06-01, 20260601 or 20260601T120000Z.',
    });
  }
  return found;
}
