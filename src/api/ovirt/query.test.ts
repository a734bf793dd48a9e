/** Matrix parameters and paths. */
import { describe, expect, test } from 'vitest';
import { addressOf } from './hosts.ts';
import { matchPath, withoutMatrix } from './query.ts';
import { wantsJson } from './server.ts';
import { stableId } from './stable-id.ts';

describe('matrix parameters', () => {
  test.each([
    ['/vms', '/vms'],
    ['/vms?search=a;b', '/vms?search=a;b'],
    ['/vms;max=20', '/vms?max=20'],
    ['/vms;max=20?follow=nics', '/vms?follow=nics&max=20'],
    ['/hosts;a=1/ID;b=2/nics', '/hosts/ID/nics?a=1&b=2'],
    ['/vms;', '/vms'],
  ])('%s is %s', (given, plain) => {
    expect(withoutMatrix(given)).toBe(plain);
  });
});

describe('a path', () => {
  test('gives its parameters, decoded', () => {
    expect(matchPath('networks/:id/networklabels/:label', 'networks/N/networklabels/a%2Fb')).toEqual({
      id: 'N',
      label: 'a/b',
    });
    expect(matchPath('vms/:id', 'vms/V/nics')).toBeNull();
    expect(matchPath('vms/:id', 'hosts/V')).toBeNull();
  });
});

describe('the format of an answer', () => {
  test.each([
    [undefined, false],
    ['*/*', false],
    ['application/xml', false],
    ['application/json', true],
    ['application/json;charset=utf-8', true],
    ['application/json, application/xml', false],
    ['application/xml;q=0.5, application/json', true],
    ['application/json;q=0', false],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
  ])('for Accept: %s is JSON: %s', (accept, isJson) => {
    expect(wantsJson(accept)).toBe(isJson);
  });
});

describe('derived facts', () => {
  test('an id depends on its parts and is a UUID', () => {
    expect(stableId('a', 'b')).toBe(stableId('a', 'b'));
    expect(stableId('a', 'b')).not.toBe(stableId('ab'));
    expect(stableId('a')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test.each([
    ['qemu+ssh://root@10.77.0.11/system', '10.77.0.11'],
    ['qemu+ssh://root@[fd00::1]:2222/system?keyfile=/k', 'fd00::1'],
    ['qemu+tls://host-a.example/system', 'host-a.example'],
    ['qemu:///system', null],
  ])('the address in %s is %s', (uri, address) => {
    expect(addressOf(uri)).toBe(address);
  });
});
