/**
 * Reads the operator's file of hooks. Wholly, at the start: what is wrong is said of every hook at once, and
 * then the engine does not start. Nothing of an address is ever repeated, it may hold secrets.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { HandoverError } from '../base/errors.ts';
import type { OperatorHook } from '../migration/port.ts';
import { HOOK_POINTS, type HookPoint, ON_FAILURE, type OnFailure, STOPPING_POINTS } from '../model/hook.ts';
import { postHook, programHook } from './run-hook.ts';

const LIMIT_DEFAULT_S = 30;
const LIMIT_MIN_S = 0.1;
const LIMIT_MAX_S = 300;
const FIELDS = ['name', 'point', 'run', 'url', 'limitSeconds', 'onFailure'];
const NAME = /^[\w.-]{1,64}$/;

/** The hooks of a file, in its order. Throws `INVALID_INPUT` with all that is wrong. */
export function readHooks(file: string): readonly OperatorHook[] {
  const listed = parse(file);
  const problems: string[] = [];
  const hooks: OperatorHook[] = [];
  const names = new Set<string>();
  for (const [index, entry] of listed.entries()) {
    const found: string[] = [];
    const hook = hookOf(entry, found);
    if (hook && names.has(hook.name)) found.push('has the name of one before it; names are unique');
    if (hook) {
      names.add(hook.name);
      hooks.push(hook);
    }
    problems.push(...found.map((what) => `${calledIn(entry) ?? `hook ${index + 1}`} ${what}`));
  }
  if (problems.length > 0) refuse(`the hooks in ${file} cannot be used:\n  ${problems.join('\n  ')}`);
  return hooks;
}

function refuse(message: string): never {
  throw new HandoverError('INVALID_INPUT', message);
}

function parse(file: string): readonly unknown[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    refuse(
      `the hooks file ${file} cannot be read (${codeOf(thrown)}); correct --hooks, or the file's rights`,
    );
  }
  let listed: unknown;
  try {
    listed = JSON.parse(text);
  } catch (thrown) {
    // The parser's own words repeat a piece of the file.
    const [, position] = /position (\d+)/.exec((thrown as Error).message) ?? [];
    const line = position === undefined ? null : text.slice(0, Number(position)).split('\n').length;
    refuse(`the hooks file ${file} is no JSON${line === null ? '' : ` (line ${line})`}; correct it`);
  }
  if (!Array.isArray(listed)) refuse(`the hooks file ${file} holds no list; write [{"name": ...}, ...]`);
  return listed;
}

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException).code ?? 'unknown';

const nameOf = (entry: unknown): string | null => {
  const name = (entry as { name?: unknown } | null)?.name;
  return typeof name === 'string' && NAME.test(name) ? name : null;
};
const calledIn = (entry: unknown): string | null => {
  const name = nameOf(entry);
  return name === null ? null : `hook "${name}"`;
};

/** One hook; null and at least one problem if it is none. */
function hookOf(entry: unknown, problems: string[]): OperatorHook | null {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
    problems.push('is no object; write {"name": ..., "point": ..., "run": ...}');
    return null;
  }
  const fields = entry as Record<string, unknown>;
  const name = nameOf(entry);
  if (name === null) problems.push('has no usable name; use 1 to 64 letters, digits, _ . and -');
  for (const field of Object.keys(fields)) {
    if (FIELDS.includes(field)) continue;
    const called = NAME.test(field) ? `the unknown field "${field}"` : 'an unknown field';
    problems.push(`has ${called}; remove it, or use ${FIELDS.join(', ')}`);
  }
  const point = HOOK_POINTS.find((each) => each === fields['point']);
  if (!point) problems.push(`has no valid point; use ${HOOK_POINTS.join(', ')}`);
  const onFailure = onFailureOf(fields['onFailure'], point, problems);
  const limitMs = limitOf(fields['limitSeconds'], problems);
  const run = runOf(fields, limitMs, problems);
  if (problems.length > 0 || name === null || !point || !run) return null;
  return { name, point, onFailure, run };
}

function onFailureOf(value: unknown, point: HookPoint | undefined, problems: string[]): OnFailure {
  const onFailure = ON_FAILURE.find((each) => each === value);
  if (!onFailure) problems.push(`has no valid onFailure; use ${ON_FAILURE.join(' or ')}`);
  if (onFailure === 'stop' && point && !STOPPING_POINTS.includes(point)) {
    problems.push(
      `has onFailure stop at ${point}, but then the VM runs on the target already and nothing can be ` +
        `stopped; use warn, or one of ${STOPPING_POINTS.join(', ')}`,
    );
  }
  return onFailure ?? 'warn';
}

function limitOf(value: unknown = LIMIT_DEFAULT_S, problems: string[]): number {
  if (typeof value === 'number' && value >= LIMIT_MIN_S && value <= LIMIT_MAX_S) return value * 1000;
  problems.push(`has a limitSeconds that is none; use a number from ${LIMIT_MIN_S} to ${LIMIT_MAX_S}`);
  return LIMIT_DEFAULT_S * 1000;
}

function runOf(
  { run, url }: Record<string, unknown>,
  limitMs: number,
  problems: string[],
): OperatorHook['run'] | null {
  if ((run === undefined) === (url === undefined)) {
    problems.push('needs either run or url: an executable file, or an address to POST to');
    return null;
  }
  if (run === undefined) {
    const address = addressOf(url);
    if (address) return postHook(address, limitMs);
    problems.push('has a url that is none; use http://HOST/... or https://HOST/...');
    return null;
  }
  if (typeof run !== 'string' || !isAbsolute(run)) {
    problems.push('has a run that is no absolute path; name the file from / on, without arguments');
    return null;
  }
  try {
    accessSync(run, constants.X_OK);
    if (statSync(run).isFile()) return programHook(run, limitMs);
    problems.push(`runs ${run}, which is no file; name an executable file`);
  } catch (thrown) {
    problems.push(`runs ${run}, which cannot be executed (${codeOf(thrown)}); create it, or chmod +x`);
  }
  return null;
}

function addressOf(url: unknown): URL | null {
  try {
    const address = new URL(url as string);
    // As the request will.
    decodeURIComponent(address.username + address.password);
    return ['http:', 'https:'].includes(address.protocol) ? address : null;
  } catch {
    return null;
  }
}
