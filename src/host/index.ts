export { createHost } from './create-host.ts';
export { openRootfs } from './rootfs.ts';
export { mountChain } from './mount-chain.ts';
export { livingOwners, type Recovered, recover } from './recover.ts';
