import { FactError, type System } from '../../../src/checks/goss/system.ts';

/** For files that hold `matching` resources only. */
export const noSystem: System = {
  fact: (resource) => Promise.reject(new FactError(`no system to ask about ${resource.type}`)),
};
