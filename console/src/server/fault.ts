/**
 * What can go wrong with a request: the engine refused it, or it could not be reached. The faults of both
 * APIs and of the sign-on become one. Who shows errors asks `messageOf`.
 */

/** The engine's refusal. `message` is its sentence for people, without brackets. */
export class ServerFault extends Error {
  readonly status: number;
  /** As docs/reference/errors.md lists them; empty if it named none. */
  readonly code: string;
  readonly reason: string;
  /** As it was sent. */
  readonly detail: string;

  constructor(
    status: number,
    fault: { readonly code: string; readonly reason: string; readonly detail: string },
  ) {
    super(withoutBrackets(fault.detail) || fault.reason || `The engine answered with status ${status}.`);
    this.name = 'ServerFault';
    this.status = status;
    this.code = fault.code;
    this.reason = fault.reason;
    this.detail = fault.detail;
  }
}

/** No answer came. Whether the request had been carried out is not known. */
export class EngineUnreachable extends Error {
  constructor() {
    super('The engine can not be reached. Check that it runs and that your network is up, then try again.');
    this.name = 'EngineUnreachable';
  }
}

/** The sentence to show for anything thrown. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : 'Something failed, and did not say what.';

/** Reads the fault of an answer that was no success; a refused action carries it inside. */
export function faultOf(status: number, body: unknown): ServerFault {
  const whole = isRecord(body) ? body : {};
  const fault = isRecord(whole['fault']) ? whole['fault'] : whole;
  const text = (...names: readonly string[]): string => {
    const found = names.map((name) => fault[name]).find((value) => typeof value === 'string');
    return typeof found === 'string' ? found : '';
  };
  return new ServerFault(status, {
    code: text('code', 'error_code'),
    reason: text('reason'),
    detail: text('detail', 'error'),
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** oVirt puts the list of its sentences into brackets. */
const withoutBrackets = (detail: string): string => /^\[(.*)\]$/s.exec(detail)?.[1] ?? detail;
