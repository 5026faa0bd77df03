import type { Clock } from '../../core/clock.ts';
import { valueText } from './go-text.ts';
import { goType } from './gomega-text.ts';
import { buildMatcher } from './matchers/build-matcher.ts';
import { type Matcher, MatchError, type MatcherResult } from './matchers/matcher.ts';
import { havePatterns } from './matchers/patterns.ts';
import { expectationOf, type GossResource, idOf, optionFlag, optionText, typeOf } from './resource.ts';
import type { CheckedAttribute } from './resource-types.ts';
import { ElsewhereError, FactError, type System } from './system.ts';
import { compareBytes, type GoMap, type GoValue, isList, isMap, Reader, ReaderError } from './values.ts';

export type Outcome = 'pass' | 'fail' | 'skip';

/** What became of one attribute. */
export interface TestResult {
  /** As reports call it: `File`. */
  readonly resourceType: string;
  readonly resourceId: string;
  readonly property: string;
  readonly title: string;
  readonly meta: GoMap | null;
  readonly outcome: Outcome;
  readonly error?: string;
  /** Why it was skipped although the file does not say so. */
  readonly elsewhere?: string;
  readonly matcherResult?: MatcherResult;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly resource: GossResource;
  readonly attribute: string;
}

/** Results of the attributes of one resource. */
export type ResultGroup = readonly TestResult[];

export interface EvaluateOptions {
  readonly clock: Clock;
  /** Resource types that are skipped, as `--disabled-resource-types` of goss's configuration. */
  readonly disabled?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Checks resources one after the other, in the order of reports (type, then name). */
export async function evaluate(
  resources: readonly GossResource[],
  system: System,
  options: EvaluateOptions,
): Promise<ResultGroup[]> {
  const groups: ResultGroup[] = [];
  for (const resource of inReportOrder(resources)) {
    options.signal?.throwIfAborted();
    const group = await evaluateResource(resource, system, options);
    if (group.length > 0) groups.push(group);
  }
  return groups;
}

export function inReportOrder(resources: readonly GossResource[]): GossResource[] {
  const key = (r: GossResource): string => `${typeOf(r).title}:${idOf(r)}`;
  return [...resources].sort((a, b) => compareBytes(key(a), key(b)));
}

async function evaluateResource(
  resource: GossResource,
  system: System,
  options: EvaluateOptions,
): Promise<ResultGroup> {
  const type = typeOf(resource);
  const results: TestResult[] = [];
  let skip = optionFlag(resource, 'skip') || (options.disabled ?? []).includes(resource.type);
  for (const check of askedChecks(resource)) {
    const result = await evaluateAttribute(resource, check, system, skip, options.clock);
    results.push(result);
    const gates = results.length === 1 && type.firstGates === true;
    if (gates && result.elsewhere === undefined && !foundIt(result)) skip = true;
  }
  return results;
}

/** The attributes that the resource says something about. */
export function askedChecks(resource: GossResource): readonly CheckedAttribute[] {
  return typeOf(resource).checks.filter((check) => {
    const expected = expectationOf(resource, check.name);
    if (expected === undefined) return check.required === true;
    return !(check.ignoreEmpty && isList(expected) && expected.length === 0);
  });
}

/** Whether the first check found the thing, so that its attributes can be looked at. */
function foundIt({ outcome, error, matcherResult }: TestResult): boolean {
  return outcome === 'pass' && error === undefined && matcherResult?.actual !== false;
}

async function evaluateAttribute(
  resource: GossResource,
  check: CheckedAttribute,
  system: System,
  skip: boolean,
  clock: Clock,
): Promise<TestResult> {
  const start = clock.now().getTime();
  const meta = resource.attributes.get('meta');
  const head = {
    resourceType: typeOf(resource).title,
    resourceId: idOf(resource),
    property: check.property ?? check.name,
    title: optionText(resource, 'title') ?? '',
    meta: isMap(meta) ? meta : null,
    resource,
    attribute: check.name,
    start,
  };
  if (skip) return { ...head, outcome: 'skip', end: clock.now().getTime() };
  const expected = expectationOf(resource, check.name) ?? null;
  const verdict = await judge(resource, check.name, expected, system);
  return { ...head, ...verdict, end: clock.now().getTime() };
}

async function judge(
  resource: GossResource,
  attribute: string,
  written: GoValue,
  system: System,
): Promise<Pick<TestResult, 'outcome' | 'error' | 'elsewhere' | 'matcherResult'>> {
  let matcher: Matcher;
  let actual: GoValue;
  let expected: GoValue;
  try {
    actual = resource.type === 'matching' ? contentOf(resource) : await system.fact(resource, attribute);
    expected = numberExpected(resource, attribute, written);
    if (actual instanceof Reader && !isList(expected)) actual = actual.text();
    matcher = actual instanceof Reader ? havePatterns(expected) : buildMatcher(expected);
  } catch (error) {
    if (error instanceof ElsewhereError) return { outcome: 'skip', elsewhere: error.message };
    return { outcome: 'fail', error: told(error) };
  }
  try {
    if (matcher.match(actual))
      return { outcome: 'pass', matcherResult: { actual, message: 'matches expectation', expected } };
    return { outcome: 'fail', matcherResult: matcher.failure(actual) };
  } catch (error) {
    return { outcome: 'fail', error: told(error), matcherResult: matcher.failure(actual) };
  }
}

/** What a `matching` resource compares: it is in the file itself. */
function contentOf(resource: GossResource): GoValue {
  const content = resource.attributes.get('content') ?? null;
  return optionFlag(resource, 'as-reader') ? Reader.of(valueText(content), '*strings.Reader') : content;
}

/** The message of what makes a check fail; a defect of ours goes on. */
function told(error: unknown): string {
  if (error instanceof FactError || error instanceof MatchError || error instanceof ReaderError)
    return error.message;
  throw error;
}

const NUMBERS: ReadonlySet<string> = new Set(['command exit-status', 'user uid', 'user gid', 'group gid']);

/** Older files write these numbers as texts. */
function numberExpected(resource: GossResource, attribute: string, expected: GoValue): GoValue {
  if (typeof expected !== 'string' || !NUMBERS.has(`${resource.type} ${attribute}`)) return expected;
  if (/^[-+]?[0-9]{1,18}$/.test(expected)) return Number(expected);
  throw new MatchError(
    `${attribute} should be an integer, not ${goType(expected)} ${JSON.stringify(expected)}`,
  );
}
