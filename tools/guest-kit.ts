/**
 * `npm run guest-kit`: builds the guest kit from `guest/` into `dist/guest-kit`: one shell script and one
 * Debian package, without a network. Callers: people, and tests of the kit.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { installerText } from '../src/guest-kit/installer.ts';
import { kitFiles, kitText, kitVersion } from '../src/guest-kit/kit-files.ts';
import { isStarted, ROOT } from './report.ts';

const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm'];

/** Writes both into `folder` and returns their paths. Throws if `dpkg-deb` is missing or fails. */
export function buildGuestKit(folder: string): { readonly script: string; readonly deb: string } {
  mkdirSync(folder, { recursive: true });
  const script = join(folder, 'handover-guest.sh');
  writeFileSync(script, installerText([]));
  chmodSync(script, 0o755);
  const deb = join(folder, `handover-guest_${kitVersion()}_all.deb`);
  const tree = mkdtempSync(join(tmpdir(), 'handover-guest-deb-'));
  try {
    writeTree(tree);
    const answer = spawnSync('dpkg-deb', ['--build', '--root-owner-group', '-Zxz', tree, deb], {
      encoding: 'utf8',
    });
    if (answer.error) throw new Error(`${script} is built; the package needs dpkg-deb: install dpkg`);
    if (answer.status !== 0) throw new Error(`dpkg-deb failed: ${answer.stderr}`);
  } finally {
    rmSync(tree, { recursive: true });
  }
  return { script, deb };
}

function writeTree(tree: string): void {
  const put = (path: string, mode: number, content: string) => {
    mkdirSync(join(tree, dirname(path)), { recursive: true, mode: 0o755 });
    writeFileSync(join(tree, path), content);
    chmodSync(join(tree, path), mode);
  };
  // dpkg wants its folder, and the one that is the package, to be for everybody.
  chmodSync(tree, 0o755);
  for (const { path, mode, content } of kitFiles()) put(path, Number.parseInt(mode, 8), content);
  put('DEBIAN/control', 0o644, kitText('debian/control'));
  for (const name of MAINTAINER_SCRIPTS) put(`DEBIAN/${name}`, 0o755, kitText(`debian/${name}`));
}

if (isStarted(import.meta.filename)) {
  try {
    const { script, deb } = buildGuestKit(join(ROOT, 'dist', 'guest-kit'));
    console.log(`${script}\n${deb}`);
  } catch (thrown) {
    console.error((thrown as Error).message);
    process.exitCode = 1;
  }
}
