/** How apt is asked for packages, and what its answers are taken to mean. Asks apt itself nothing. */
import { expect, test } from 'vitest';
import { upgradedIn, waysToAsk } from './apt.ts';

test('from the own archive packages are asked for by name', () => {
  expect(waysToAsk(['cpio', 'zstd'], null)).toEqual([['cpio', 'zstd']]);
});

test('from another suite only what is needed is asked for first, all it takes only then', () => {
  expect(waysToAsk(['qemu-utils'], 'bookworm-backports')).toEqual([
    ['qemu-utils/bookworm-backports'],
    ['-t', 'bookworm-backports', 'qemu-utils'],
  ]);
});

test('a simulation names what is upgraded, apart from what is new', () => {
  const simulation = [
    'Inst libfdt1 (1.6.1-4+b1 Debian:12.15/oldstable [amd64])',
    'Inst seabios [1.16.2-1] (1.16.3-2~bpo12+1 Debian Backports:oldstable-backports [all])',
    'Conf seabios (1.16.3-2~bpo12+1 Debian Backports:oldstable-backports [all])',
  ].join('\n');
  expect(upgradedIn(simulation)).toEqual(['seabios']);
  expect(upgradedIn('')).toEqual([]);
});
