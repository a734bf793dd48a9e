/** Faults: oVirt's status and text first, then what to do. */
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, HandoverError } from '../../base/errors.ts';
import { faultOf } from './fault.ts';

const statusOf = (code: ErrorCode) => faultOf(new HandoverError(code, 'x')).status;

describe('a fault', () => {
  test('has the status of its kind', () => {
    expect(statusOf('INVALID_INPUT')).toBe(400);
    expect(statusOf('NOT_SIGNED_IN')).toBe(401);
    expect(statusOf('NOT_PERMITTED')).toBe(403);
    expect(statusOf('NOT_FOUND')).toBe(404);
    expect(statusOf('IN_USE')).toBe(409);
    expect(statusOf('NO_HOST_FITS')).toBe(409);
    expect(statusOf('MIGRATION_REFUSED')).toBe(409);
    expect(statusOf('HOST_UNREACHABLE')).toBe(503);
    expect(statusOf('REPLY_LOST')).toBe(503);
    expect(statusOf('WAIT_TIMED_OUT')).toBe(504);
    expect(statusOf('ASSERTION_FAILED')).toBe(500);
  });

  test('is never a 401 because a host refused the engine, or clients would sign on again and repeat', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const isOurs = code === 'NOT_SIGNED_IN' || code === 'SIGN_ON_REFUSED';
      expect([code, statusOf(code) === 401]).toEqual([code, isOurs]);
    }
  });

  test('begins with the text clients match on and goes on with ours', () => {
    const error = new HandoverError('VM_ALREADY_MIGRATING', 'web-1 is migrating to host-b; wait for its job');
    expect(faultOf(error, 'migrate_vm').fault).toEqual({
      code: 'VM_ALREADY_MIGRATING',
      reason: 'Operation Failed',
      detail:
        '[Cannot migrate VM. VM migration is in progress. web-1 is migrating to host-b; wait for its job.]',
    });
  });

  test('does not repeat what our own message says in the same words', () => {
    const said = 'Cannot cancel migration for non migrating VM. web-1 has no migration that is under way.';
    const error = new HandoverError('VM_NOT_MIGRATING', said);
    expect(faultOf(error, 'cancel_migration').fault.detail).toBe(`[${said}]`);
    const same = new HandoverError('TARGET_IS_SOURCE', 'host-a: source and destination is the same');
    expect(faultOf(same, 'migrate_vm').fault.detail).toBe(
      '[Cannot migrate VM. host-a: source and destination is the same.]',
    );
  });

  test("says which name is taken in the noun's own words", () => {
    const error = new HandoverError('ALREADY_EXISTS', 'there is a fast on prod already');
    expect(faultOf(error, 'add_vnic_profile').fault.detail).toContain(
      "The VM network interface profile's name is already used by an existing profile for the same network.",
    );
  });

  test('of something unforeseen is a 500 that keeps its message', () => {
    const { status, fault } = faultOf(new TypeError('x is not a function'), 'migrate_vm');
    expect(status).toBe(500);
    expect(fault.detail).toContain('x is not a function');
  });
});
