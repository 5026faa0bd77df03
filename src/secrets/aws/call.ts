import { signAwsRequest } from '../../core/aws-signature.ts';
import type { HttpAnswer } from '../http.ts';
import type { Request, Surroundings } from '../provider.ts';
import { answerObject, jsonOf, loginRefusal, notFound } from '../refusal.ts';
import { isMap } from '../document.ts';
import { awsAccess, type AwsParams } from './credentials.ts';
import { awsEndpoint } from './endpoint.ts';

export interface AwsCall {
  readonly service: 'kms' | 'secretsmanager' | 'ssm';
  /** `secretsmanager.GetSecretValue`: the protocol's x-amz-target. */
  readonly target: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** What is read, for errors. */
  readonly what: string;
}

/** `region`, `profile` and `role_arn` of a reference. */
export function awsParams(request: Request): AwsParams {
  return {
    region: request.param('region'),
    profile: request.param('profile'),
    roleArn: request.param('role_arn'),
  };
}

/** Calls a service that speaks AWS's JSON 1.1 protocol. Throws as `refusal` does. */
export async function callAws(
  params: AwsParams,
  { service, target, input, what }: AwsCall,
  around: Surroundings,
): Promise<Record<string, unknown>> {
  const { region, credentials } = await awsAccess(params, around);
  const url = awsEndpoint(service, region, around.env);
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
  const body = JSON.stringify(input);
  const scope = { region, service, now: around.now() };
  const signed = signAwsRequest({ method: 'POST', url, headers, body }, credentials, scope);
  const answer = await around.fetch({ url, headers: { ...headers, ...signed }, body, retryOn: isThrottled });
  const error = errorName(answer);
  if (/^(?:ResourceNotFound|ParameterNotFound|ParameterVersionNotFound|NotFound)/.test(error))
    // A key that is not there is no missing secret: no default stands for what it should open.
    throw service === 'kms' ? loginRefusal(answer, `AWS (${error})`, what) : notFound(`${what} in ${region}`);
  return answerObject(answer, `AWS (${error || service})`, what);
}

function isThrottled(answer: HttpAnswer): boolean {
  return answer.status === 400 && /Throttl|TooManyRequests|RequestLimit/.test(errorName(answer));
}

/** `ResourceNotFoundException` of `{"__type": "com.amazonaws…#ResourceNotFoundException"}`. */
function errorName(answer: HttpAnswer): string {
  const json = answer.status === 200 ? undefined : jsonOf(answer);
  const type = isMap(json) ? json.__type : undefined;
  return typeof type === 'string' ? type.replace(/^.*#/, '') : '';
}
