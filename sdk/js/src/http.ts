/** HTTP to origins the operator granted by name. The host adds what the grant says (authorisation headers) and follows no redirect. */

import * as raw from 'tidegate:plugin/http@1.0.0';
import { asking, bytes } from './border';
import { fatal, retryable } from './failure';
import { decodeUtf8 } from './text';

const SHOWN_MAX = 200;

export interface Request {
  /** One of the context's endpoints: names the origin. */
  endpoint: string;
  method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete';
  /** Path and query, with a leading slash; joined to the endpoint's own path. */
  path: string;
  headers?: [string, string][];
  body?: Uint8Array;
  /** Without it: the endpoint's own timeout, which is also the most. */
  timeoutMs?: number;
}

export interface Response { status: number; headers: [string, string][]; body: Uint8Array }

/**
 * Sends a request. No connection, and no answer, are retryable: a receiver that must not see a request twice tells by an idempotency key.
 * What the host refuses, and answers it will not take, are fatal.
 */
export function send({ endpoint, method, path, headers = [], body = new Uint8Array(0), timeoutMs }: Request): Response {
  const doing = `request to ${endpoint}${path}`;
  const answer = asking(() => raw.send({ endpoint, method, path, headers, body, timeoutMs }), ({ tag, val }) => {
    if (tag === 'refused') return fatal('http', `${doing}: ${val}`);
    if (tag === 'too-large') return fatal('http', `${doing}: the answer of ${val} bytes is larger than the host takes`);
    return retryable(`${doing}: ${val}`);
  });
  return { ...answer, body: bytes(answer.body) };
}

/** Throws unless the status is 2xx: 408, 425, 429 and 5xx are retryable, others fatal. */
export function check(response: Response): Response {
  const { status, body } = response;
  if (status >= 200 && status < 300) return response;
  const text = `the receiver answered ${status}: ${decodeUtf8(body.subarray(0, SHOWN_MAX))}`;
  throw status >= 500 || status === 408 || status === 425 || status === 429 ? retryable(text) : fatal('http-status', text);
}
