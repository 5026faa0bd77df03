import { sensitiveMark } from '../value/marks.ts';
import { STRING } from '../value/type.ts';
import { mark, string, unknown } from '../value/value.ts';
import { FunctionError, type FunctionSpec, param } from './function.ts';
import { askAws, askAwsRaw } from './aws-secrets.ts';
import { askConsul, askVault, type ServiceCall, type Services } from './services.ts';

export interface ServiceFunction {
  readonly call: ServiceCall;
  readonly parameters: readonly string[];
  /** What it answers is masked like a sensitive variable. */
  readonly secret: boolean;
}

/** Functions that ask a service, in HCL2 and in the variables of legacy JSON. */
export const SERVICE_FUNCTIONS: ReadonlyMap<string, ServiceFunction> = new Map([
  ['vault', { call: askVault, parameters: ['path', 'key'], secret: true }],
  ['consul_key', { call: askConsul, parameters: ['key'], secret: false }],
  ['aws_secretsmanager', { call: askAws, parameters: ['name', 'key'], secret: true }],
  ['aws_secretsmanager_raw', { call: askAwsRaw, parameters: ['name'], secret: true }],
]);

/** The functions for HCL2. */
export function serviceFunctions(services: Services): FunctionSpec[] {
  return [...SERVICE_FUNCTIONS].map(([name, { call, parameters, secret }]) => {
    // The key of aws_secretsmanager may be left out.
    const needed = name === 'aws_secretsmanager' ? 1 : parameters.length;
    const [optional] = parameters.slice(needed);
    return {
      name,
      parameters: parameters.slice(0, needed).map((p) => param(p, STRING)),
      ...(optional !== undefined && { rest: param(optional, STRING) }),
      returns: STRING,
      call: (values) => {
        if (values.length > parameters.length)
          throw new FunctionError(`it takes at most ${parameters.length} arguments, got ${values.length}`);
        const args = values.map((value) => value.data as string);
        const text = call(services, args);
        const marks = sensitiveMark(secretName(name, args));
        if (text === undefined) return secret ? unknown(STRING, marks) : unknown(STRING);
        if (!secret) return string(text);
        services.onSecret(secretName(name, args), text);
        return mark(string(text), marks);
      },
    };
  });
}

/** The name that marks an answer: `vault("secret/data/x", "key")`. */
export function secretName(name: string, args: readonly string[]): string {
  return `${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`;
}
