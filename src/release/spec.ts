import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';
import { isChannelName } from './names.ts';

/** The body of `release { … }` in an image file. */
export const releaseSpec = bodySpec(
  {
    store: attr.string(
      'Where releases go: `oci-layout:<folder>`, relative to the template. Default: the user’s own store.',
      { unhashed: true },
    ),
    channels: attr.strings('Channels that move to the new release.', { default: [], unhashed: true }),
  },
  {},
  (o) => {
    const problems: OptionProblem[] = [];
    for (const [i, name] of o.channels.entries()) {
      if (!isChannelName(name)) {
        problems.push({
          path: ['channels', i],
          message: `"${name}" is no channel name; expected letters, digits, and . _ - between them`,
        });
      }
    }
    if (o.store !== undefined && !o.store.startsWith('oci-layout:')) {
      problems.push({
        path: ['store'],
        message: `store "${o.store}" is of no known kind; expected oci-layout:<folder>`,
      });
    }
    return problems;
  },
);

export type ReleaseOptions = OptionsOf<typeof releaseSpec>;
