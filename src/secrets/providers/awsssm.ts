import { awsParams, callAws } from '../aws/call.ts';
import { badParam } from '../encode.ts';
import { isMap } from '../document.ts';
import { readYaml } from '../read-yaml.ts';
import type { Provider, Request, Surroundings } from '../provider.ts';
import { describeReference } from '../reference.ts';
import { notFound } from '../refusal.ts';

/**
 * `ref+awsssm://path/of/parameter?region=&profile=&role_arn=&version=`. With a fragment: the parameters below the path
 * (`recursive=true`: at any depth), or with `mode=singleparam` the parameter's value, read as YAML.
 */
export const awsssm: Provider = {
  text: (request, around) => parameter(request, around),
  async document(request, around) {
    return request.param('mode') === 'singleparam'
      ? readYaml(await parameter(request, around), describeReference(request.text))
      : await parametersBelow(request, around);
  },
};

/** Names of the parameter store begin with a slash. */
function nameOf({ path }: Request): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** AWS Systems Manager API, GetParameter; a version is asked for as `name:version`. */
async function parameter(request: Request, around: Surroundings): Promise<string> {
  const version = request.param('version');
  if (version !== undefined && !/^\d+$/.test(version)) throw badParam('version', version, 'a whole number');
  const name = version === undefined ? nameOf(request) : `${nameOf(request)}:${version}`;
  const answer = await callAws(
    awsParams(request),
    {
      service: 'ssm',
      target: 'AmazonSSM.GetParameter',
      input: { Name: name, WithDecryption: true },
      what: `parameter ${name}`,
    },
    around,
  );
  const value = isMap(answer.Parameter) ? answer.Parameter.Value : undefined;
  if (typeof value === 'string') return value;
  throw notFound(`value of parameter ${name}`);
}

/** AWS Systems Manager API, GetParametersByPath, page by page. */
async function parametersBelow(request: Request, around: Surroundings): Promise<Tree> {
  const path = nameOf(request);
  const found: unknown[] = [];
  let next: unknown;
  do {
    const answer = await callAws(
      awsParams(request),
      {
        service: 'ssm',
        target: 'AmazonSSM.GetParametersByPath',
        input: {
          Path: path,
          Recursive: request.param('recursive') === 'true',
          WithDecryption: true,
          ...(typeof next === 'string' && { NextToken: next }),
        },
        what: `parameters below ${path}`,
      },
      around,
    );
    if (Array.isArray(answer.Parameters)) found.push(...(answer.Parameters as unknown[]));
    next = answer.NextToken;
  } while (typeof next === 'string' && next !== '');
  const tree: Tree = new Map();
  for (const entry of found) {
    if (!isMap(entry) || typeof entry.Name !== 'string' || typeof entry.Value !== 'string') continue;
    plant(tree, entry.Name.slice(path.replace(/\/+$/, '').length + 1).split('/'), entry.Value);
  }
  if (tree.size === 0) throw notFound(`parameter below ${path}`);
  return plain(tree) as Tree;
}

type Tree = Map<string, string | Tree>;

/** Puts a value in its place; a parameter that has others below it gives way to them, whatever their order. */
function plant(tree: Tree, [key = '', ...rest]: readonly string[], value: string): void {
  const there = tree.get(key);
  if (rest.length === 0) {
    if (!(there instanceof Map)) tree.set(key, value);
    return;
  }
  const inner: Tree = there instanceof Map ? there : new Map();
  tree.set(key, inner);
  plant(inner, rest, value);
}

function plain(tree: Tree): unknown {
  return Object.fromEntries(
    [...tree].map(([key, value]) => [key, value instanceof Map ? plain(value) : value]),
  );
}
