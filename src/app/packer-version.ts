export { PACKER_VERSION } from '../template/packer/version.ts';
