import { badImage } from './bad-image.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** `linux/amd64` or `linux/arm64/v8`. Throws `disk/bad-image`. */
export function parsePlatform(text: string): Platform {
  const match = /^([a-z0-9]+)\/([a-z0-9]+)(?:\/([a-z0-9]+))?$/.exec(text);
  if (!match?.[1] || !match[2])
    throw badImage(`the platform "${text.slice(0, 60)}" is not of the form os/architecture`);
  return { os: match[1], architecture: match[2], ...(match[3] !== undefined && { variant: match[3] }) };
}
