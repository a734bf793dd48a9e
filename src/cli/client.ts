/**
 * A client of one engine: JSON in and out, faults as `CliError`s with the exit code that fits.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CliError, EXIT, exitCodeOf } from './cli-error.ts';
import { readCredentials } from './credentials.ts';
import { type EngineAddress, send } from './exchange.ts';

const DEFAULT_URL = 'http://127.0.0.1:8080';
const OVIRT = '/ovirt-engine/api';

/**
 * The engine's URL: `--url`, else HANDOVER_URL, else that of the last login, else the default. No slash at
 * its end.
 */
function engineUrl(option: string | undefined): string {
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
 * The engine at a URL. Its authority's certificate is in `--ca-file`, else in HANDOVER_CA_FILE, else where
 * the last login there found it.
 */
export function engineAt(options: { readonly url?: string; readonly caFile?: string }): EngineAddress {
  const url = engineUrl(options.url);
  const given = options.caFile || process.env['HANDOVER_CA_FILE'] || readCredentials().byUrl[url]?.caFile;
  if (!given) return { url, ca: null, caFile: null };
  const caFile = resolve(given);
  try {
    return { url, ca: readFileSync(caFile, 'utf8'), caFile };
  } catch (thrown) {
    throw new CliError(EXIT.usage, `can not read the authority's certificate: ${(thrown as Error).message}`);
  }
}

/** A signed-on client. */
export class Client {
  readonly engine: EngineAddress;
  readonly #token: string;

  constructor(engine: EngineAddress, token: string) {
    this.engine = engine;
    this.#token = token;
  }

  /** The client for an engine with the token of the last login there. */
  static open(options: { readonly url?: string; readonly caFile?: string }): Client {
    const engine = engineAt(options);
    const { url } = engine;
    const credential = readCredentials().byUrl[url];
    if (!credential) {
      throw new CliError(EXIT.notPermitted, `not signed in at ${url}; run: handover login --url ${url}`);
    }
    return new Client(engine, credential.token);
  }

  /** A request to oVirt's API, `path` below its root: `vms/ID`. */
  async ovirt<T>(method: string, path: string, body?: object): Promise<T> {
    return await this.#ask<T>(method, `${OVIRT}/${path}`, body);
  }

  /** A request to the native API: `jobs/ID`. */
  async native<T>(method: string, path: string): Promise<T> {
    return await this.#ask<T>(method, `/api/${path}`);
  }

  /** A text of the native API. */
  async nativeText(path: string): Promise<string> {
    const { status, text } = await this.#send('GET', `/api/${path}`);
    if (status >= 400) throw this.#refusal(status, parse(text));
    return text;
  }

  async #ask<T>(method: string, path: string, body?: object): Promise<T> {
    const { status, text } = await this.#send(method, path, body);
    const parsed = parse(text);
    if (status >= 400) throw this.#refusal(status, parsed);
    if (parsed === undefined) {
      throw new CliError(
        EXIT.failed,
        `${this.engine.url} answered with something that is not Handover's; check --url`,
      );
    }
    return parsed as T;
  }

  async #send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    return await send(this.engine, path, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  #refusal(status: number, parsed: unknown): CliError {
    if (status === 401) {
      return new CliError(
        EXIT.notPermitted,
        `the sign-on at ${this.engine.url} is no longer valid; run: handover login --url ${this.engine.url}`,
        'NOT_SIGNED_IN',
      );
    }
    const answer = (parsed ?? {}) as { fault?: Fault } & Fault;
    const fault = answer.fault ?? answer;
    const detail = fault.detail?.replace(/^\[([\s\S]*)\]$/, '$1');
    return new CliError(
      exitCodeOf(status, fault.code ?? null),
      detail || fault.reason || `${this.engine.url} answered with status ${status}`,
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
