/** Options as the specs' defaults decode them. */
export const OVA = { cpus: 2, memory: 1 << 30, controller: 'lsilogic', network_card: 'E1000' };
export const OCI = {
  compression: 'gzip',
  architecture: 'amd64',
  entrypoint: undefined,
  cmd: undefined,
  env: {},
  user: undefined,
  working_dir: undefined,
  labels: {},
};
