/** Refusals of every API, as the console shows them. */
import { expect, test } from 'vitest';
import { faultOf, messageOf } from './fault.ts';

test('a fault is shown by its sentences, without the brackets around them', () => {
  const fault = faultOf(409, {
    code: 'ALREADY_EXISTS',
    reason: 'Operation Failed',
    detail: '[Cannot add Network. The name is in use.]',
  });
  expect(fault).toMatchObject({ status: 409, code: 'ALREADY_EXISTS', reason: 'Operation Failed' });
  expect(messageOf(fault)).toBe('Cannot add Network. The name is in use.');
});

test('the fault of a refused action is found inside it', () => {
  const fault = faultOf(409, {
    status: 'failed',
    fault: { reason: 'Operation Failed', detail: '[No host.]' },
  });
  expect(fault.message).toBe('No host.');
});

test('a refused sign-on says what the server said', () => {
  const fault = faultOf(400, { error_code: 'access_denied', error: 'Cannot authenticate user x.' });
  expect([fault.code, fault.message]).toEqual(['access_denied', 'Cannot authenticate user x.']);
});

test('an answer that is no fault still gives a sentence', () => {
  expect(faultOf(502, undefined).message).toBe('The engine answered with status 502.');
});
