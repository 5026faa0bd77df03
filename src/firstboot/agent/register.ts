import { isIPv6 } from 'node:net';
import { hostname } from 'node:os';
import { IngotError } from '../../core/error.ts';
import { createFetch, type HttpRequest } from '../../secrets/http.ts';
import { refusal } from '../../secrets/refusal.ts';
import { settleAll } from '../../secrets/settle-all.ts';
import type { RegisterOptions } from '../config.ts';
import type { Filler } from './fill.ts';
import type { AgentMachine } from './machine.ts';

/** Makes the instance known in every place that the block names. Doing it again does no harm. */
export async function register(
  places: RegisterOptions,
  filler: Filler,
  machine: AgentMachine,
): Promise<void> {
  await settleAll([
    ...places.consul.map((one) => registerConsul(one, filler, machine)),
    ...places.dns.map((one) => updateDns(one, filler, machine)),
    ...places.http.map((one) => callHttp(one, filler, machine)),
  ]);
}

/** Consul HTTP API, "Register Service" of the agent. */
async function registerConsul(
  o: RegisterOptions['consul'][number],
  filler: Filler,
  machine: AgentMachine,
): Promise<void> {
  const what = `consul ${o.name}`;
  const address = await filler.fill(o.service_address, what);
  const body = {
    ID: o.id === undefined ? `${o.name}-${hostname()}` : await filler.fill(o.id, what),
    Name: o.name,
    Address: address,
    Port: o.port,
    Tags: await filler.fillList(o.tags, what),
    Meta: await filler.fillAll(o.meta, what),
    Check: {
      TCP: `${isIPv6(address) ? `[${address}]` : address}:${o.port}`,
      Interval: `${o.check_interval}ms`,
      Timeout: '5s',
    },
  };
  const token = o.token === undefined ? undefined : await filler.fill(o.token, what);
  const url = new URL('/v1/agent/service/register', await filler.fill(o.address, what));
  await call(
    {
      method: 'PUT',
      url,
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { 'x-consul-token': token }),
      },
      body: JSON.stringify(body),
    },
    what,
    filler,
    machine,
  );
}

async function callHttp(
  o: RegisterOptions['http'][number],
  filler: Filler,
  machine: AgentMachine,
): Promise<void> {
  const what = `http ${o.name}`;
  const body = o.body === undefined ? undefined : await filler.fill(o.body, what);
  await call(
    {
      method: o.method,
      url: new URL(await filler.fill(o.url, what)),
      headers: await filler.fillAll(o.headers, what),
      ...(body !== undefined && { body }),
    },
    what,
    filler,
    machine,
  );
}

async function call(
  request: HttpRequest,
  what: string,
  { env }: Filler,
  { signal }: AgentMachine,
): Promise<void> {
  const answer = await createFetch({ attempts: 2, signal, env })(request);
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, request.url.origin, what);
}

/**
 * A DNS update (RFC 2136) by nsupdate(1), which gets everything on its standard input: a key in its arguments could be
 * seen by every user.
 */
async function updateDns(
  o: RegisterOptions['dns'][number],
  filler: Filler,
  machine: AgentMachine,
): Promise<void> {
  const what = `dns ${o.name}`;
  const word = async (text: string): Promise<string> => oneWord(await filler.fill(text, what), what);
  const name = await word(o.name);
  const key = o.key === undefined ? undefined : (await word(o.key)).split(':');
  if (key && key.length !== 3) {
    throw new IngotError('firstboot/bad-value', `${what}: the key is not algorithm:name:secret`, {
      hint: 'Store it as hmac-sha256:update:c2VjcmV0, for example.',
    });
  }
  const [server = '', port = '53'] = (await word(o.server)).split('#');
  const lines = [
    `server ${server} ${port}`,
    `zone ${await word(o.zone)}`,
    ...(key ? [`key ${key[0]}:${key[1]} ${key[2]}`] : []),
    `update delete ${name} ${o.type}`,
    `update add ${name} ${o.ttl} ${o.type} ${await word(o.value)}`,
    'send',
  ];
  const { exitCode, output } = await machine.run(['nsupdate'], {
    input: `${lines.join('\n')}\n`,
    timeoutMs: 30_000,
  });
  if (exitCode === 0) return;
  const last = output.trim().split('\n').at(-1) ?? '';
  throw new IngotError('firstboot/command-failed', `${what}: nsupdate ended with ${exitCode}: ${last}`, {
    hint: 'Check the server, the zone and the key.',
  });
}

function oneWord(text: string, what: string): string {
  if (/^[^\s"\\;]+$/.test(text)) return text;
  throw new IngotError('firstboot/bad-value', `${what}: a name or value is empty or has blanks in it`, {
    hint: 'Names, zones and addresses are single words.',
  });
}
