import type { ProvableOperation } from './operation.ts';
import { backupFiles } from './backup-files.ts';
import { cloudInit } from './cloud-init.ts';
import { crashDumps } from './crash-dumps.ts';
import { credentialSecret } from './credential-secret.ts';
import { dhcpLeases } from './dhcp-leases.ts';
import { histories } from './histories.ts';
import { firstBoot } from './first-boot.ts';
import { firstBootWizard } from './first-boot-wizard.ts';
import { hostname } from './hostname.ts';
import { journal } from './journal.ts';
import { loginKeys } from './login-keys.ts';
import { logs } from './logs.ts';
import { machineId } from './machine-id.ts';
import { mailSpool } from './mail-spool.ts';
import { networkIdentity } from './network-identity.ts';
import { packageCaches } from './package-caches.ts';
import { preset } from './preset.ts';
import { provisionerResidue } from './provisioner-residue.ts';
import { randomSeeds } from './random-seeds.ts';
import { sshHostKeys } from './ssh-host-keys.ts';
import { temporaryFiles } from './temporary-files.ts';
import { waagent } from './waagent.ts';

/** In the order in which they run. `preset` comes after `ssh-host-keys`, whose unit it has to keep. */
export const sealOperations: readonly ProvableOperation[] = [
  sshHostKeys,
  machineId,
  firstBootWizard,
  randomSeeds,
  credentialSecret,
  dhcpLeases,
  networkIdentity,
  cloudInit,
  firstBoot,
  waagent,
  journal,
  logs,
  histories,
  packageCaches,
  mailSpool,
  crashDumps,
  backupFiles,
  loginKeys,
  provisionerResidue,
  temporaryFiles,
  hostname,
  preset,
];
