/** The two forms in which the guest kit is handed out. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installerText } from '../src/guest-kit/installer.ts';
import { kitFiles, kitVersion } from '../src/guest-kit/kit-files.ts';
import { buildGuestKit } from './guest-kit.ts';

const folder = mkdtempSync(join(tmpdir(), 'handover-guest-kit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const run = (command: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  expect([command, status, stderr]).toEqual([command, 0, '']);
  return stdout;
};

test('the package has every file where it belongs, owned by root, and the script is beside it', () => {
  const { deb, script } = buildGuestKit(folder);
  expect(run('dpkg-deb', '--field', deb, 'Version').trim()).toBe(kitVersion());
  const listed = run('dpkg-deb', '--contents', deb).split('\n');
  for (const { path, mode } of kitFiles()) {
    const rights = mode === '755' ? '-rwxr-xr-x' : '-rw-r--r--';
    expect(listed).toContainEqual(expect.stringMatching(new RegExp(`^${rights} root/root .* \\.${path}$`)));
  }
  expect(listed.filter((line) => line.startsWith('-'))).toHaveLength(kitFiles().length);
  expect(readFileSync(script, 'utf8')).toBe(installerText([]));
});

test('the scripts of the package are read by a shell', () => {
  const { deb } = buildGuestKit(folder);
  const control = join(folder, 'control');
  run('dpkg-deb', '--control', deb, control);
  for (const name of ['postinst', 'prerm', 'postrm']) run('dash', '-n', join(control, name));
});
