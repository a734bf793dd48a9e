/** A client opened over memory to a scripted daemon, on a virtual clock; what its tests share. */
import { expect } from 'vitest';
import { HandoverError } from '../../src/base/errors.ts';
import { silentLog } from '../../src/base/log.ts';
import {
  type ClientOptions,
  type Domain,
  encodeFrame,
  openClient,
  procedures,
  PROGRAM,
} from '../../src/libvirt/index.ts';
import { ScriptedDaemon } from './scripted-daemon.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Some domain. */
export const DOMAIN: Domain = { name: 'web-1', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 };

/** Arguments of `domainGetState` about it. */
export const STATE = { dom: DOMAIN, flags: 0 };

/** An opened client named `host-a`, its clock and its daemon. */
export async function opened(daemon = new ScriptedDaemon(), options: Partial<ClientOptions> = {}) {
  const clock = new VirtualClock();
  const client = await openClient(daemon.clientEnd, 'qemu:///system', {
    clock,
    log: silentLog,
    label: 'host-a',
    ...options,
  });
  return { client, clock, daemon };
}

/** What a promise rejected with; fails if it did not. */
export async function failure(promise: Promise<unknown>): Promise<HandoverError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(HandoverError);
  return error as HandoverError;
}

/** An empty frame of the remote program. */
export function frame(type: number, procedure: number, status: number, serial: number): Buffer {
  return encodeFrame(
    { program: PROGRAM.remote, procedure, type, serial, status },
    procedures.authList.args,
    {},
  );
}
