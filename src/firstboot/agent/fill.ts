import { IngotError } from '../../core/error.ts';
import { expandText, scalarText } from '../../secrets/expand.ts';
import { describeReference } from '../../secrets/reference.ts';
import { createResolver, type Resolver } from '../../secrets/resolver.ts';
import { scan } from '../../secrets/scan.ts';
import { settleAll } from '../../secrets/settle-all.ts';
import { proxySecrets } from '../../store/http/proxy-variables.ts';
import { GoTemplateError } from '../../template/gotemplate/ast.ts';
import { executeGoTemplate } from '../../template/gotemplate/execute.ts';
import { parseGoTemplate } from '../../template/gotemplate/parse.ts';
import { readInstance } from './instance.ts';
import type { AgentMachine } from './machine.ts';

/** Fills texts for one attempt: every reference is fetched once, and anew in the next attempt. */
export interface Filler {
  /** `what`: the text's name, for messages. */
  fill(text: string, what: string): Promise<string>;
  fillList(texts: readonly string[], what: string): Promise<string[]>;
  fillAll(texts: Readonly<Record<string, string>>, what: string): Promise<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** One try is short: whoever waits tries again, and says meanwhile what is missing. */
const PATIENCE = { attemptMs: 10_000, deadlineMs: 15_000, attempts: 4 };

/** Reads the launch-time data, and answers what fills texts by it. */
export async function openFiller(machine: AgentMachine): Promise<Filler> {
  const { variables, env } = await readInstance(machine);
  for (const [name, value] of Object.entries(env))
    if (/TOKEN|SECRET|PASSWORD|_AGE_KEY$|_(?:ACCESS|API)_KEY$/.test(name)) machine.hide(value);
  for (const text of proxySecrets(env)) machine.hide(text);
  const resolver = createResolver({
    env,
    patience: { ...PATIENCE, signal: machine.signal },
    now: machine.now,
    onSecret: (text) => machine.hide(text),
    ...(machine.config.allow_exec && {
      run: async (command, args, { env: extra, timeoutMs }) => {
        const { exitCode, output } = await machine.run([command, ...args], {
          env: { ...env, ...extra },
          timeoutMs,
          quiet: true,
        });
        return { exitCode, stdout: output, stderr: '' };
      },
    }),
  });
  const fill = (text: string, what: string): Promise<string> =>
    expandReferences(fillVariables(text, variables, what), resolver);
  return {
    env,
    fill,
    fillList: (texts, what) => settleAll(texts.map((text) => fill(text, what))),
    async fillAll(texts, what) {
      const entries = Object.entries(texts).map(async ([name, text]) => [
        name,
        await fill(text, `${what} ${name}`),
      ]);
      return Object.fromEntries(await settleAll(entries)) as Record<string, string>;
    },
  };
}

/** Go templates; a variable that is not there is an error. */
function fillVariables(text: string, variables: Readonly<Record<string, unknown>>, what: string): string {
  if (!text.includes('{{')) return text;
  try {
    return executeGoTemplate(parseGoTemplate(text), variables, { missingKey: 'error' });
  } catch (cause) {
    if (!(cause instanceof GoTemplateError)) throw cause;
    throw new IngotError('firstboot/bad-template', `${what}, line ${cause.line}: ${cause.message}`, {
      hint: `There are ${Object.keys(variables).sort().join(', ')}.`,
      cause,
    });
  }
}

/**
 * References by their values, which are data: what looks like a reference in them stays as it is, and a value of several
 * lines stands on lines of its own, so that it adds no setting to the one that it stands in.
 */
async function expandReferences(text: string, resolver: Resolver): Promise<string> {
  const lookup = resolver.lookup.bind(resolver);
  const pieces = scan(text);
  const values = await settleAll(
    pieces.map(async (piece) =>
      typeof piece === 'string' ? piece : scalarText(await expandText(piece.source, { lookup }), piece),
    ),
  );
  for (const [i, piece] of pieces.entries()) {
    if (typeof piece === 'string' || !values[i]?.trimEnd().includes('\n')) continue;
    const standsAlone =
      /(^|\n)[ \t]*$/.test(values[i - 1] ?? '') && /^[ \t]*(\n|$)/.test(values[i + 1] ?? '');
    if (standsAlone) continue;
    throw new IngotError(
      'firstboot/several-lines',
      `the value of ${describeReference(piece.source)} has several lines and stands within a line`,
      { hint: 'Put the reference on a line of its own, or store a value of one line.' },
    );
  }
  return values.join('');
}
