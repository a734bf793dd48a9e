/**
 * The engine as its users see it: HTTP, signed on, JSON. What scenarios, the demo and the benches drive it
 * with; nothing here knows how the engine works inside.
 */
import type { AlertView, JobView } from '../src/api/types/job-view.ts';
import { systemClock, until } from '../src/base/clock.ts';

const OVIRT = '/ovirt-engine/api';
const REQUEST_LIMIT_MS = 120_000;

/** An oVirt entity in JSON: scalars are strings. */
export interface Entity {
  readonly id: string;
  readonly name: string;
  readonly status?: string;
  readonly [field: string]: unknown;
}

/** An answer other than success. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  /** The sentence in it, for people. */
  readonly said: string;

  constructor(status: number, what: string, text: string) {
    super(`${what}: ${status} ${text}`);
    this.status = status;
    this.said = sentenceOf(text) ?? this.message;
  }
}

/** oVirt puts the sentence into brackets. */
function sentenceOf(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as { fault?: { detail?: string }; detail?: string };
    return (answer.fault ?? answer).detail?.replace(/^\[([\s\S]*)\]$/, '$1');
  } catch {
    return undefined;
  }
}

/** One signed-on user. */
export class EngineApi {
  readonly #url: () => string;
  readonly #authorization: string;

  /** `url` is asked for at every request: a restarted engine may have moved. */
  constructor(url: () => string, password: string) {
    this.#url = url;
    this.#authorization = `Basic ${Buffer.from(`admin@internal:${password}`).toString('base64')}`;
  }

  /** Any request below the server's root. Throws `ApiRefusal` for an answer that is no success. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = await this.#send(method, path, 'application/json', body);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Plain text below the server's root. Throws `ApiRefusal` for an answer that is no success. */
  text(path: string): Promise<string> {
    return this.#send('GET', path, 'text/plain');
  }

  async #send(method: string, path: string, accept: string, body?: unknown): Promise<string> {
    const response = await fetch(`${this.#url()}${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        accept,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiRefusal(response.status, `${method} ${path}`, text);
    return text;
  }

  /** All entities of a collection whose JSON key is `key`. */
  async list(collection: string, key: string): Promise<Entity[]> {
    const answer = await this.request<Record<string, Entity[] | undefined>>('GET', `${OVIRT}/${collection}`);
    return answer[key] ?? [];
  }

  /** The entity named `name`; throws if there is none. */
  async named(collection: string, key: string, name: string): Promise<Entity> {
    const found = (await this.list(collection, key)).find((entity) => entity.name === name);
    if (!found) throw new Error(`no ${key} named ${name}`);
    return found;
  }

  add(collection: string, entity: object): Promise<Entity> {
    return this.request('POST', `${OVIRT}/${collection}`, entity);
  }

  vm(name: string): Promise<Entity> {
    return this.named('vms', 'vm', name);
  }

  /** Asks for a migration; `options` are the action's further fields. Returns the job's id. */
  async migrate(vm: string, target: string, options: object = {}): Promise<string> {
    const { id } = await this.vm(vm);
    const body = { host: { name: target }, ...options };
    const answer = await this.request<{ job: { id: string } }>('POST', `${OVIRT}/vms/${id}/migrate`, body);
    return answer.job.id;
  }

  async cancel(vm: string): Promise<void> {
    const { id } = await this.vm(vm);
    await this.request('POST', `${OVIRT}/vms/${id}/cancelmigration`, {});
  }

  job(id: string): Promise<JobView> {
    return this.request('GET', `/api/jobs/${id}`);
  }

  alerts(): Promise<AlertView[]> {
    return this.request('GET', '/api/alerts');
  }

  /** Waits until the job is as `wanted` says; an engine that is away meanwhile is waited for. */
  async waitForJob(
    id: string,
    what: string,
    limitMs: number,
    wanted: (job: JobView) => boolean,
    everyMs = 100,
  ): Promise<JobView> {
    let last: JobView | undefined;
    try {
      return await until(systemClock, what, { limitMs, everyMs }, async () => {
        last = await this.job(id).catch((error: unknown) => {
          if (error instanceof ApiRefusal) throw error;
          return last;
        });
        return last && wanted(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}; last seen: ${JSON.stringify(last)}`, {
        cause: error,
      });
    }
  }

  /** Waits for the end of a job; seldom asking, since engine and hosts share the CPUs of one machine. */
  ended(id: string, limitMs: number): Promise<JobView> {
    return this.waitForJob(
      id,
      `job ${id} to end`,
      limitMs,
      (job) => job.ended || job.state === 'needs_operator',
      1_000,
    );
  }
}
