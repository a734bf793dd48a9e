/** Asks an engine over kept connections, for `bench/api.ts`: at a rate, or as fast as it answers. */
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';

/** Whom to ask, as whom. */
export interface Asked {
  readonly url: string;
  readonly token: string;
}

/** What to ask for. */
export interface Question {
  readonly path: () => string;
  readonly accept: 'application/xml' | 'application/json';
}

/** How long answers took, ms. */
export interface Latency {
  /** Answered with a 200. */
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Asks once; returns the bytes of the answer's body. Throws unless it is a 200. */
export function ask(agent: Agent, { url, token }: Asked, path: string, accept: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { agent, headers: { authorization: `Bearer ${token}`, accept } });
    sent.on('response', (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('error', reject);
      answer.on('end', () => {
        if (answer.statusCode === 200) resolve(bytes);
        else reject(new Error(`${path} was answered with ${answer.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

const WAITING_MAX = 2_000;

/** Connections that are kept, as many as it takes. */
export const keptConnections = (): Agent => new Agent({ keepAlive: true });

/**
 * Asks `perSecond` times a second for `seconds`, on schedule whether or not earlier ones were answered; a
 * latency counts from the schedule. The first `warmUpSeconds` are not counted. An engine that lets
 * `WAITING_MAX` of them wait is given up.
 */
export async function openLoop(
  asked: Asked,
  { path, accept }: Question,
  { perSecond, seconds, warmUpSeconds }: { perSecond: number; seconds: number; warmUpSeconds: number },
): Promise<Latency & { readonly failed: number }> {
  const agent = keptConnections();
  const timesMs: number[] = [];
  const answers = new Set<Promise<void>>();
  let failed = 0;
  const total = perSecond * (warmUpSeconds + seconds);
  const beginMs = performance.now();
  for (let number = 0; number < total && answers.size < WAITING_MAX; ) {
    const dueMs = beginMs + (number * 1_000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      continue;
    }
    const isCounted = number >= perSecond * warmUpSeconds;
    const answer = ask(agent, asked, path(), accept).then(
      () => {
        if (isCounted) timesMs.push(performance.now() - dueMs);
        answers.delete(answer);
      },
      () => {
        failed += 1;
        answers.delete(answer);
      },
    );
    answers.add(answer);
    number += 1;
  }
  await Promise.all(answers);
  agent.destroy();
  return { ...latencyOf(timesMs), failed };
}

/**
 * Asks with `connections` at a time for `seconds`, each again as soon as it was answered; answers a second.
 */
export async function closedLoop(
  asked: Asked,
  { path, accept }: Question,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<{ readonly requests: number; readonly perSecond: number }> {
  const agent = keptConnections();
  const beginMs = performance.now();
  const endMs = beginMs + seconds * 1_000;
  let requests = 0;
  const one = async () => {
    while (performance.now() < endMs) {
      await ask(agent, asked, path(), accept);
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  return { requests, perSecond: (requests * 1_000) / (performance.now() - beginMs) };
}

/** Of times in any order. */
export function latencyOf(timesMs: readonly number[]): Latency {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) => rounded(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  return { requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

/** To a tenth. */
export const rounded = (value: number): number => Math.round(value * 10) / 10;
