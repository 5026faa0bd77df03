import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { FunctionError } from './function.ts';

export interface Question {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent by POST; without one the question is a GET. */
  readonly body?: string;
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** Takes any certificate. */
  readonly insecure?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** A service that does not answer in this time is not there. */
const TIMEOUT_MS = 15_000;
/** Secrets are short. */
const MAX_BYTES = 1024 * 1024;

/**
 * Sends a request and waits for the answer without giving up the thread, since expressions are evaluated in one go:
 * a worker does the waiting. Redirects are followed on the same host and scheme alone, so that no token goes elsewhere.
 * Throws FunctionError where there is no answer.
 */
export function askNow({ url, headers, body, ca, insecure = false }: Question): Answer {
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const workerData = {
    url: url.href,
    headers,
    body,
    ca,
    insecure,
    port: port2,
    done,
    timeout: TIMEOUT_MS,
    maxBytes: MAX_BYTES,
  };
  const worker = new Worker(ASK, { eval: true, execArgv: [], workerData, transferList: [port2] });
  try {
    // Longer than the worker's own limit, which tells more.
    Atomics.wait(done, 0, 0, TIMEOUT_MS + 5000);
    const message = receiveMessageOnPort(port1)?.message as (Answer & { problem?: string }) | undefined;
    if (message?.problem === undefined && message) return message;
    throw new FunctionError(`${url.origin} did not answer: ${message?.problem ?? 'the request did not end'}`);
  } finally {
    port1.close();
    void worker.terminate();
  }
}

/** The worker's code: CommonJS of Node, since it runs as it stands here. */
const ASK = `
const { workerData: q } = require('node:worker_threads');
const finish = (message) => {
  q.port.postMessage(message);
  Atomics.store(q.done, 0, 1);
  Atomics.notify(q.done, 0);
};
const ask = (href, redirects) => {
  const url = new URL(href);
  const { request: send } = require(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const options = { method: q.body === undefined ? 'GET' : 'POST', headers: q.headers, ca: q.ca, rejectUnauthorized: !q.insecure, agent: false };
  const request = send(url, options, (response) => {
    const { statusCode: status, headers } = response;
    if (status >= 300 && status < 400 && headers.location && q.body === undefined) {
      response.resume();
      const next = new URL(headers.location, url);
      if (next.origin !== url.origin) return finish({ problem: 'it redirects to ' + next.origin });
      if (redirects === 0) return finish({ problem: 'it redirects without end' });
      return ask(next, redirects - 1);
    }
    let size = 0;
    const parts = [];
    response.on('data', (part) => {
      parts.push(part);
      size += part.length;
      if (size > q.maxBytes) request.destroy(new Error('the answer has more than ' + q.maxBytes + ' bytes'));
    });
    response.on('end', () => finish({ status, body: Buffer.concat(parts).toString('utf8') }));
    response.on('error', (error) => finish({ problem: error.message }));
  });
  request.on('error', (error) => finish({ problem: error.message || error.code }));
  request.end(q.body);
};
setTimeout(() => finish({ problem: 'no answer in ' + q.timeout / 1000 + ' seconds' }), q.timeout).unref();
ask(q.url, 3);
`;
