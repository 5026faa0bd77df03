import { checkFirstBoot } from './check.ts';
import { attr, block, blocks, bodySpec, type OptionProblem } from '../core/body-spec.ts';

/** Bump when what is installed changes. */
export const FIRST_BOOT_VERSION = 9;

const GO = { goTemplate: true } as const;

const fileSpec = bodySpec(
  {
    template: attr.string(
      'Config template, relative to the template folder: text with secret references and {{ .variables }}.',
      {
        required: true,
      },
    ),
    owner: attr.string('User that owns the file.', { default: 'root' }),
    group: attr.string("Group of the file; by default the owner's."),
    mode: attr.octal('Permissions.', { default: 0o600 }),
  },
  {},
);
const files = blocks(fileSpec, {
  labels: ['path'],
  doc: 'A file to make from a template, by its place in the image.',
});

const serviceSpec = bodySpec({}, { file: files });

const commandSpec = bodySpec(
  {
    script: attr.string('Script, relative to the template folder; it is run as it is, so it begins with #!.'),
    command: attr.strings('Command with its arguments, in place of a script; no shell is involved.', GO),
    environment: attr.stringMap('Variables for it; texts may hold secret references and {{ .variables }}.', {
      default: {},
      ...GO,
    }),
    timeout: attr.duration('Ends it after this long, and tries again.', { default: 600_000 }),
  },
  {},
  (o): OptionProblem[] =>
    (o.script === undefined) === (o.command === undefined)
      ? [{ path: [], message: 'a command has either script or command', hint: 'Write script = "setup.sh".' }]
      : [],
);

const tcpSpec = bodySpec({
  host: attr.string('Where to connect to.', { default: '127.0.0.1', ...GO }),
  port: attr.number('TCP port.', { required: true }),
});
const httpCheckSpec = bodySpec({
  url: attr.string('What to get.', { required: true, ...GO }),
  status: attr.number('Status of the answer; by default any from 200 to 299.'),
});
const readyCommandSpec = bodySpec({
  command: attr.strings('Command that ends with 0 when all is well; no shell is involved.', {
    required: true,
    ...GO,
  }),
  timeout: attr.duration('Ends it after this long.', { default: 10_000 }),
});
const readySpec = bodySpec(
  {
    units: attr.strings('systemd units that must be active.', { default: [] }),
    timeout: attr.duration(
      'Counted from the start of the machine: not ready by then, it should be replaced.',
      {
        default: 600_000,
      },
    ),
    http_port: attr.number('Answers on this port, on every path: 200 when ready, else 503.'),
    http_address: attr.string('Address that the port is opened on.', { default: '0.0.0.0' }),
  },
  {
    tcp: blocks(tcpSpec, { labels: ['name'], doc: 'A port that must take connections.' }),
    http: blocks(httpCheckSpec, { labels: ['name'], doc: 'An address that must answer.' }),
    command: blocks(readyCommandSpec, { labels: ['name'], doc: 'A command that must succeed.' }),
  },
);

const consulSpec = bodySpec({
  address: attr.string("Consul's agent.", { default: 'http://127.0.0.1:8500', ...GO }),
  service_address: attr.string('Address of the service.', { default: '{{ .host.address }}', ...GO }),
  port: attr.number('Port of the service.', { required: true }),
  id: attr.string('By default the name, a dash and the host name.', GO),
  tags: attr.strings('Tags of the service.', { default: [], ...GO }),
  meta: attr.stringMap('Metadata of the service.', { default: {}, ...GO }),
  token: attr.string('ACL token, by reference.', GO),
  check_interval: attr.duration('How often Consul tries the port itself.', { default: 10_000 }),
});
const dnsSpec = bodySpec({
  server: attr.string('Name server that takes updates (RFC 2136).', { required: true, ...GO }),
  zone: attr.string('Zone of the record.', { required: true, ...GO }),
  type: attr.string('Type of the record.', { default: 'A', oneOf: ['A', 'AAAA', 'CNAME'] }),
  value: attr.string('What it says.', { default: '{{ .host.address }}', ...GO }),
  ttl: attr.number('Seconds that it may be remembered.', { default: 60 }),
  key: attr.string('TSIG key as algorithm:name:secret, by reference.', GO),
});
const httpCallSpec = bodySpec({
  url: attr.string('What to call.', { required: true, ...GO }),
  method: attr.string('Method of the request.', { default: 'POST' }),
  headers: attr.stringMap('Headers; texts may hold secret references.', { default: {}, ...GO }),
  body: attr.string('Body of the request.', GO),
});
const registerSpec = bodySpec(
  {},
  {
    consul: blocks(consulSpec, { labels: ['name'], doc: 'A service in Consul, by its name.' }),
    dns: blocks(dnsSpec, {
      labels: ['name'],
      doc: 'A record, by its whole name; needs nsupdate in the image.',
    }),
    http: blocks(httpCallSpec, { labels: ['name'], doc: 'A call that makes the instance known.' }),
  },
);

/** The `first_boot` block of an image file. */
export const firstBootSpec = bodySpec(
  {
    agent: attr.bool(
      "Installs Ingot's agent; false: the image brings `vals`, which then fills the templates.",
      {
        default: true,
      },
    ),
    cloud_init: attr.strings('Files for /etc/cloud/cloud.cfg.d, relative to the template folder.', {
      default: [],
    }),
    environment: attr.stringMap('Variables for reading references; /etc/ingot/agent.env comes above them.', {
      default: {},
    }),
    variables: attr.any('Values for templates; /etc/ingot/instance.json comes above them.', { default: {} }),
    required: attr.strings('Variables without which the instance is not configured.', { default: [] }),
    allow_exec: attr.bool('Whether ref+exec:// may run commands.', { default: false }),
  },
  {
    file: files,
    service: blocks(serviceSpec, {
      labels: ['unit'],
      doc: 'A systemd service that waits for the first boot, and whose files are made before each of its starts.',
    }),
    command: blocks(commandSpec, {
      labels: ['name'],
      doc: 'What the first boot runs, in the order of the file.',
    }),
    ready: block(readySpec, { doc: 'What makes the instance fit to take traffic.' }),
    register: block(registerSpec, { doc: 'Where the instance makes itself known, once it is ready.' }),
  },
  checkFirstBoot as never,
);
