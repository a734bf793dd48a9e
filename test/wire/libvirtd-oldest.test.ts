/**
 * The wire suite against libvirt 9.0, the oldest version promised, where the archive has it: on Debian 12.
 */
import { expect, test } from 'vitest';
import { releaseCodename } from '../../tools/setup/apt.ts';
import { ensureLibvirt90, ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { daemons } from './libvirtd-daemons.ts';
import { wireSuite } from './wire-suite.ts';

await ensureWirePackages(consoleLog);
const root = await ensureLibvirt90(consoleLog);

if (root !== null) {
  wireSuite('libvirtd 9.0', daemons(root));
} else {
  consoleLog.warn('libvirt 9.0 is not in the archive of this release: NOT tested here');
  test('libvirt 9.0 is missing only where the archive has none', () => {
    expect(releaseCodename()).not.toBe('bookworm');
  });
}
