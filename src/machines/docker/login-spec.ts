import { attr, type OptionProblem } from '../../core/body-spec.ts';

/** Packer's keys for a login at a registry (developer.hashicorp.com/packer/integrations/hashicorp/docker). */
export const loginAttributes = {
  login: attr.bool('Logs in at the registry with login_username and login_password.', { default: false }),
  login_username: attr.string('User at the registry.'),
  login_password: attr.string('Password at the registry.', { sensitive: true }),
  login_server: attr.string('The registry, where the image does not say.'),
  ecr_login: attr.bool('Refused: use a credential helper.'),
  aws_access_key: attr.string('Refused.', { sensitive: true }),
  aws_secret_key: attr.string('Refused.', { sensitive: true }),
  aws_token: attr.string('Refused.', { sensitive: true }),
  aws_profile: attr.string('Refused.'),
  aws_force_use_public_ecr: attr.bool('Refused.'),
  docker_path: attr.string('Refused: the engine is asked over its socket, and no docker program is run.'),
} as const;

const AWS = [
  'ecr_login',
  'aws_access_key',
  'aws_secret_key',
  'aws_token',
  'aws_profile',
  'aws_force_use_public_ecr',
];

/** What of a login cannot be done. */
export function loginProblems(options: Readonly<Record<string, unknown>>): OptionProblem[] {
  const problems: OptionProblem[] = [];
  for (const key of AWS)
    if (options[key] !== undefined && options[key] !== false)
      problems.push({
        path: [key],
        message: `${key} is not supported`,
        hint: 'Put the credential helper ecr-login into ~/.docker/config.json (credHelpers); it is asked.',
      });
  if (options.docker_path !== undefined)
    problems.push({
      path: ['docker_path'],
      message: 'docker_path is not supported: no docker program is run',
      hint: 'Name the engine by DOCKER_HOST=unix://PATH where it is not at /var/run/docker.sock.',
    });
  if (options.login === true && options.login_username === undefined)
    problems.push({ path: ['login'], message: 'login = true needs login_username and login_password' });
  return problems;
}
