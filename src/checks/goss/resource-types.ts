/** A kind of value that a goss file gives an option, which is compared with nothing. */
export type OptionKind = 'text' | 'integer' | 'flag' | 'texts' | 'any';

/** One attribute whose value is an expectation. */
export interface CheckedAttribute {
  readonly name: string;
  /** As reports call it, where that is another word. */
  readonly property?: string;
  /** Reported even where the file does not give it: it then fails. */
  readonly required?: boolean;
  /** `[]` asserts nothing and is left out, as goss does. */
  readonly ignoreEmpty?: boolean;
}

export interface ResourceType {
  /** As reports call it. */
  readonly title: string;
  /** Option that names the thing where that is not the key. */
  readonly alias?: string;
  /** In the order of reports. */
  readonly checks: readonly CheckedAttribute[];
  readonly options: Readonly<Record<string, OptionKind>>;
  /** Where the first check does not find the thing, the others are skipped. */
  readonly firstGates?: boolean;
}

const check = (name: string, more: Omit<CheckedAttribute, 'name'> = {}): CheckedAttribute => ({
  name,
  ...more,
});
const required = (name: string): CheckedAttribute => ({ name, required: true });

/** Options that every resource has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionKind>> = {
  title: 'text',
  meta: 'any',
  skip: 'flag',
};

/** What a goss file can hold, but `gossfile` (goss's docs/gossfile.md). */
export const RESOURCE_TYPES: ReadonlyMap<string, ResourceType> = new Map<string, ResourceType>([
  [
    'addr',
    {
      title: 'Addr',
      alias: 'address',
      checks: [required('reachable')],
      options: { address: 'text', 'local-address': 'text', timeout: 'integer' },
    },
  ],
  [
    'command',
    {
      title: 'Command',
      checks: [
        required('exit-status'),
        check('stdout', { ignoreEmpty: true }),
        check('stderr', { ignoreEmpty: true }),
      ],
      options: { exec: 'text', timeout: 'integer' },
    },
  ],
  [
    'dns',
    {
      title: 'DNS',
      alias: 'resolve',
      checks: [required('resolvable'), check('addrs')],
      options: { resolve: 'text', resolveable: 'any', timeout: 'integer', server: 'text' },
      firstGates: true,
    },
  ],
  [
    'file',
    {
      title: 'File',
      alias: 'path',
      checks: [
        required('exists'),
        check('mode'),
        check('owner'),
        check('uid'),
        check('group'),
        check('gid'),
        check('linked-to', { property: 'linkedto' }),
        check('filetype'),
        check('contains', { ignoreEmpty: true }),
        check('contents', { ignoreEmpty: true }),
        check('size'),
        check('md5'),
        check('sha256'),
        check('sha512'),
      ],
      options: { path: 'text' },
      firstGates: true,
    },
  ],
  [
    'group',
    {
      title: 'Group',
      alias: 'groupname',
      checks: [required('exists'), check('gid')],
      options: { groupname: 'text' },
      firstGates: true,
    },
  ],
  [
    'http',
    {
      title: 'HTTP',
      alias: 'url',
      checks: [
        required('status'),
        check('headers', { property: 'Headers', ignoreEmpty: true }),
        check('body', { property: 'Body', ignoreEmpty: true }),
      ],
      options: {
        url: 'text',
        method: 'text',
        'allow-insecure': 'flag',
        'no-follow-redirects': 'flag',
        timeout: 'integer',
        'request-headers': 'texts',
        'request-body': 'text',
        username: 'text',
        password: 'text',
        'ca-file': 'text',
        'cert-file': 'text',
        'key-file': 'text',
        proxy: 'text',
      },
      firstGates: true,
    },
  ],
  [
    'interface',
    {
      title: 'Interface',
      alias: 'name',
      checks: [required('exists'), check('addrs'), check('mtu')],
      options: { name: 'text' },
      firstGates: true,
    },
  ],
  [
    'kernel-param',
    { title: 'KernelParam', alias: 'name', checks: [required('value')], options: { name: 'text' } },
  ],
  [
    'matching',
    {
      title: 'Matching',
      checks: [required('matches')],
      options: { content: 'any', 'as-reader': 'flag' },
    },
  ],
  [
    'mount',
    {
      title: 'Mount',
      alias: 'mountpoint',
      checks: [
        required('exists'),
        check('opts'),
        check('vfs-opts'),
        check('source'),
        check('filesystem'),
        check('usage'),
      ],
      options: { mountpoint: 'text', timeout: 'integer' },
      firstGates: true,
    },
  ],
  [
    'package',
    {
      title: 'Package',
      alias: 'name',
      checks: [required('installed'), check('versions', { property: 'version' })],
      options: { name: 'text' },
      firstGates: true,
    },
  ],
  [
    'port',
    {
      title: 'Port',
      alias: 'port',
      checks: [required('listening'), check('ip')],
      options: { port: 'text' },
      firstGates: true,
    },
  ],
  ['process', { title: 'Process', alias: 'comm', checks: [required('running')], options: { comm: 'text' } }],
  [
    'service',
    {
      title: 'Service',
      alias: 'name',
      checks: [check('enabled'), check('running'), check('runlevels')],
      options: { name: 'text' },
    },
  ],
  [
    'user',
    {
      title: 'User',
      alias: 'username',
      checks: [
        required('exists'),
        check('uid'),
        check('gid'),
        check('home'),
        check('groups'),
        check('shell'),
      ],
      options: { username: 'text' },
      firstGates: true,
    },
  ],
]);
