/**
 * Sign-on and users as a whole: the real API, use cases and store, without hosts, on a clock that tests move
 * on. Requests come from whatever address a test says.
 */
import { createApi } from '../../src/api/create-api.ts';
import { createUseCases } from '../../src/app/create-use-cases.ts';
import { ensureAdmin } from '../../src/app/users.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Log } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import type { Hypervisors } from '../../src/hypervisor/port.ts';
import type { DatabaseConnection } from '../../src/store/db.ts';
import { openReplica } from './postgres.ts';

/** The administrator's password at every such engine. */
export const ADMIN_PASSWORD = 'correct horse';

/** The system's clock, ahead by as much as it was moved on. */
export class MovedClock implements Clock {
  #aheadMs = 0;
  readonly now = () => systemClock.now() + this.#aheadMs;
  readonly monotonicMs = () => systemClock.monotonicMs();
  readonly after: Clock['after'] = (...given) => systemClock.after(...given);
  readonly sleep: Clock['sleep'] = (...given) => systemClock.sleep(...given);

  moveOn(ms: number): void {
    this.#aheadMs += ms;
  }
}

/** Keeps what is logged, as text. */
export function keptLog(lines: string[]): Log {
  const line = (message: string, fields: object = {}) => {
    const shown = JSON.stringify(fields, (_key, value: unknown) =>
      value instanceof Error ? [value.message, value.stack, String(value.cause)] : value,
    );
    lines.push(`${message} ${shown}`);
  };
  const log: Log = { debug: line, info: line, warn: line, error: line, child: () => log };
  return log;
}

/** A request; `body`: a form, or an entity that is sent as JSON, or text as it is. */
export interface AccessRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: URLSearchParams | object | string;
  readonly address?: string;
}

/** An answer. */
export interface AccessAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** One engine; close it. */
export async function startAccessEngine(connection: DatabaseConnection, clock: Clock, log: Log) {
  const store = await openReplica(connection);
  const hypervisors = {} as Hypervisors;
  const parts = { store, hypervisors, clock, random: systemRandom, log };
  await ensureAdmin(parts, ADMIN_PASSWORD);
  const app = createApi({ useCases: createUseCases(parts), clock, random: systemRandom, log });

  const ask = async (path: string, request: AccessRequest = {}): Promise<AccessAnswer> => {
    const { method = 'GET', headers = {}, body, address = '192.0.2.1' } = request;
    const type = body instanceof URLSearchParams ? 'application/x-www-form-urlencoded' : 'application/json';
    const answer = await app.inject({
      method,
      url: path,
      remoteAddress: address,
      headers: { accept: 'application/json', ...(body ? { 'content-type': type } : {}), ...headers },
      ...(body === undefined ? {} : { payload: textOf(body) }),
    });
    let parsed: Record<string, unknown> = {};
    try {
      parsed = JSON.parse(answer.body) as Record<string, unknown>;
    } catch {
      // Not every answer has a body.
    }
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: parsed };
  };
  return {
    ask,
    /** As the SDKs sign on. */
    signOn: async (username: string, password: string, address?: string) =>
      await ask('/ovirt-engine/sso/oauth/token', {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'password',
          scope: 'ovirt-app-api',
          username,
          password,
        }),
        ...(address === undefined ? {} : { address }),
      }),
    async close() {
      await app.close();
      await store.close();
    },
  };
}

function textOf(body: URLSearchParams | object | string): string {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : JSON.stringify(body);
}

export type AccessEngine = Awaited<ReturnType<typeof startAccessEngine>>;
