import type { BuildEvent } from '../../src/core/event.ts';

const id = `sha256:${'a1'.repeat(32)}` as const;

/** A build that has something of every event: a cached step, output, progress, checks, a failure, an artifact. */
export const sampleEvents: readonly BuildEvent[] = [
  {
    type: 'build:start',
    image: 'web',
    version: '1.2.0',
    steps: [
      { step: 'web/mmdebstrap', kind: 'source' },
      { step: 'web/shell[0]', kind: 'provisioner' },
      { step: 'web/qcow2', kind: 'output' },
      { step: 'web/boot', kind: 'test' },
    ],
  },
  { type: 'step:start', step: 'web/mmdebstrap', kind: 'source', id, title: 'mmdebstrap base' },
  { type: 'step:end', step: 'web/mmdebstrap', status: 'cached', seconds: 0 },
  { type: 'step:start', step: 'web/shell[0]', kind: 'provisioner', id, title: 'shell harden.sh' },
  {
    type: 'step:log',
    step: 'web/shell[0]',
    stream: 'stdout',
    line: 'sshd: \u001b[31mchecking\u001b[0m, twice',
  },
  { type: 'step:log', step: 'web/shell[0]', stream: 'stderr', line: '10 %\r100 %' },
  { type: 'step:end', step: 'web/shell[0]', status: 'done', seconds: 2.04, detail: 'changed 3 files' },
  { type: 'message', level: 'warning', text: 'the kernel has no driver for VMware' },
  { type: 'step:start', step: 'web/qcow2', kind: 'output', id, title: 'output qcow2' },
  {
    type: 'step:progress',
    step: 'web/qcow2',
    done: 300 << 20,
    total: 1200 << 20,
    unit: 'bytes',
    what: 'written',
  },
  { type: 'step:end', step: 'web/qcow2', status: 'done', seconds: 3.1 },
  {
    type: 'artifact',
    step: 'web/qcow2',
    name: 'web',
    format: 'qcow2',
    path: 'output-web/web.qcow2',
    digest: id,
    size: 220_200_960,
  },
  { type: 'step:start', step: 'web/boot', kind: 'test', id, title: 'test boot' },
  { type: 'check:result', step: 'web/boot', name: 'bios', status: 'passed', seconds: 13.21 },
  {
    type: 'check:result',
    step: 'web/boot',
    name: 'uefi',
    status: 'failed',
    message: 'unit <nginx> & "co" failed',
  },
  { type: 'check:result', step: 'web/boot', name: 'no seed', status: 'skipped' },
  { type: 'step:log', step: 'web/boot', stream: 'note', line: 'nginx.service: Failed with result exit-code' },
  { type: 'step:end', step: 'web/boot', status: 'failed', seconds: 61 },
  {
    type: 'diagnostic',
    diagnostic: {
      code: 'plan/volatile',
      severity: 'warning',
      message: 'timestamp() makes this step differ from run to run',
      range: {
        file: 'web.pkr.hcl',
        start: { offset: 0, line: 1, column: 1 },
        end: { offset: 6, line: 1, column: 7 },
      },
      hint: 'Use a variable.',
      cause: new Error('not for the outside'),
    },
  },
  { type: 'release', name: 'web', version: '1.2.0', digest: id, store: 'oci-layout:/srv/releases' },
  {
    type: 'build:artifact',
    image: 'web',
    artifact: {
      builderId: 'ingot.mmdebstrap',
      id: 'web@1.2.0',
      files: ['output-web/web.qcow2'],
      description: 'web 1.2.0: qcow2',
    },
  },
  {
    type: 'build:artifact',
    image: 'web',
    artifact: {
      builderId: 'packer.post-processor.checksum',
      id: '',
      files: ['web.md5', 'web.sha256'],
      description: 'Created artifact from files: web.md5, web.sha256',
    },
  },
  { type: 'build:end', image: 'web', status: 'failed', seconds: 66.2 },
];

/** The text that the sample's diagnostic points into. */
export const sampleSources = new Map([['web.pkr.hcl', 'locals { now = timestamp() }\n']]);
