/** Where things lie in an image that has a `first_boot` block. */
export const PATHS = {
  /** The agent, one file for Node 18. */
  agent: '/usr/lib/ingot/agent.cjs',
  command: '/usr/bin/ingot-agent',
  /** What the `first_boot` block says. */
  config: '/usr/lib/ingot/first-boot.json',
  templates: '/usr/lib/ingot/templates',
  scripts: '/usr/lib/ingot/scripts',
  /** Values of this instance, by cloud-init's `write_files`. */
  instance: '/etc/ingot/instance.json',
  /** `NAME=value` lines: where the secrets server is, and as whom to ask it. */
  environment: '/etc/ingot/agent.env',
  /** Written when the first boot has done all it had to; removed by seal. */
  done: '/var/lib/ingot/first-boot.done',
  /** Written when the first run of cloud-init, as far as the first boot needs it, is on the disk; removed by seal. */
  cloudInit: '/var/lib/ingot/cloud-init.done',
  /** Written when the instance has made itself known; removed by seal. */
  registered: '/var/lib/ingot/registered.done',
  /** What the agent did in this boot, and when: a line of JSON each. */
  spans: '/run/ingot/spans',
  /** How things stand, for whoever asks. */
  state: '/run/ingot/ready.json',
  /** Pipe of the agent that waits for requests of a start. */
  ask: '/run/ingot/ask',
  /** Begin of the names of the pipes of its answers. */
  answers: '/run/ingot/answer.',
  /** Where the waiting agent practises. */
  rehearsal: '/run/ingot/rehearsal',
  users: '/etc/passwd',
  console: '/dev/console',
} as const;
