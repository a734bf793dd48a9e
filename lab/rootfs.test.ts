/** From which archive the lab's root file system is made. */
import { expect, test } from 'vitest';
import { archiveAmong } from './rootfs.ts';

const lines = (...targets: [string, string, string][]): string =>
  targets.map((target) => `${target.join('\t')}\n`).join('');

test("Debian's own releases count, its security archive and others' packages do not", () => {
  const targets = lines(
    ['Docker', 'bookworm', 'https://other.example/debian/'],
    ['Debian', 'bookworm-security', 'http://mirror.example/debian-security/'],
    ['Debian', 'bookworm', 'http://mirror.example/debian/'],
  );
  expect(archiveAmong(targets)).toBe('http://mirror.example/debian/');
});

test('on Ubuntu there is none', () => {
  expect(archiveAmong(lines(['Ubuntu', 'noble', 'http://mirror.example/ubuntu/']))).toBeNull();
  expect(archiveAmong('')).toBeNull();
});
