/**
 * HTTP to one engine: JSON in and out, faults as `CliError`s with the exit code that fits. Every request has
 * a limit.
 */
import { CliError, EXIT, exitCodeOf } from './cli-error.ts';
import { readCredentials } from './credentials.ts';

/** Adding a host connects to it and looks at everything on it. */
const REQUEST_LIMIT_MS = 120_000;
const DEFAULT_URL = 'http://127.0.0.1:8080';
const OVIRT = '/ovirt-engine/api';

/**
 * The engine's URL: `--url`, else HANDOVER_URL, else that of the last login, else the default. No slash at
 * its end.
 */
export function engineUrl(option: string | undefined): string {
  const given = option || process.env['HANDOVER_URL'] || readCredentials().current || DEFAULT_URL;
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new CliError(EXIT.usage, `${given} is no URL; write it like ${DEFAULT_URL}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new CliError(EXIT.usage, `${given} must begin with http:// or https://`);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/**
 * Sends a request and returns status and body. `CliError` (unreachable) if there is no answer within the
 * limit.
 */
export async function send(
  url: string,
  path: string,
  init: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(`${url}${path}`, { ...init, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    return { status: answer.status, text: await answer.text() };
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'TimeoutError') throw noAnswer(url, init.method);
    const cause = thrown instanceof Error ? (thrown.cause ?? thrown) : thrown;
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    const why = code === 'ECONNREFUSED' ? 'nothing listens there; is "handover serve" running?' : code;
    throw new CliError(
      EXIT.unreachable,
      `can not reach Handover at ${url}: ${why} (another engine: --url or HANDOVER_URL)`,
    );
  }
}

function noAnswer(url: string, method = 'GET'): CliError {
  const advice =
    method === 'GET' ? '' : '; it may have been carried out all the same: look before you repeat it';
  return new CliError(
    EXIT.unreachable,
    `no answer from Handover at ${url} within ${REQUEST_LIMIT_MS / 1000} s${advice}`,
    'CALL_TIMED_OUT',
  );
}

/** A signed-on client. */
export class Client {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  /** The client for `url` with the token of the last login there. */
  static open(option: string | undefined): Client {
    const url = engineUrl(option);
    const credential = readCredentials().byUrl[url];
    if (!credential) {
      throw new CliError(EXIT.notPermitted, `not signed in at ${url}; run: handover login --url ${url}`);
    }
    return new Client(url, credential.token);
  }

  /** A request to oVirt's API, `path` below its root: `vms/ID`. */
  async ovirt<T>(method: string, path: string, body?: object): Promise<T> {
    return await this.#ask<T>(method, `${OVIRT}/${path}`, body);
  }

  /** A request to the native API: `jobs/ID`. */
  async native<T>(method: string, path: string): Promise<T> {
    return await this.#ask<T>(method, `/api/${path}`);
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const { status, text } = await send(this.url, path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = parse(text);
    if (status >= 400) throw this.#refusal(status, parsed);
    if (parsed === undefined) {
      throw new CliError(
        EXIT.failed,
        `${this.url} answered with something that is not Handover's; check --url`,
      );
    }
    return parsed as T;
  }

  #refusal(status: number, parsed: unknown): CliError {
    if (status === 401) {
      return new CliError(
        EXIT.notPermitted,
        `the sign-on at ${this.url} is no longer valid; run: handover login --url ${this.url}`,
        'NOT_SIGNED_IN',
      );
    }
    const answer = (parsed ?? {}) as { fault?: Fault } & Fault;
    const fault = answer.fault ?? answer;
    const detail = fault.detail?.replace(/^\[([\s\S]*)\]$/, '$1');
    return new CliError(
      exitCodeOf(status, fault.code ?? null),
      detail || fault.reason || `${this.url} answered with status ${status}`,
      fault.code ?? null,
    );
  }
}

interface Fault {
  readonly code?: string;
  readonly reason?: string;
  readonly detail?: string;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
