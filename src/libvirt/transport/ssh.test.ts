/** The command lines of ssh and of the host, and what its end means. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { remoteCommand, sshArguments, type SshTarget, sshVerdict } from './ssh.ts';

const TARGET: SshTarget = {
  host: 'host-a',
  user: null,
  port: null,
  keyFile: null,
  knownHostsFile: null,
  configFile: null,
  socket: null,
};

describe('the ssh command line', () => {
  test('never prompts, and ends the options before the host', () => {
    const line = sshArguments(TARGET, 'CMD');
    expect(line).toEqual(['-T', '-e', 'none', '-o', 'BatchMode=yes', '--', 'host-a', 'CMD']);
  });

  test('insists on known host keys when it is told where they are', () => {
    const target = {
      ...TARGET,
      user: 'ops',
      port: 22,
      keyFile: '/k',
      knownHostsFile: '/k h',
      configFile: '/c',
    };
    const line = sshArguments(target, 'CMD').join(' ');
    expect(line).toContain('-F /c -p 22 -l ops -i /k');
    expect(line).toContain('UserKnownHostsFile="/k h" -o StrictHostKeyChecking=yes');
  });
});

/** Runs the remote command in a real shell where only the given programs exist; prints their arguments. */
function runRemote(command: string, programs: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'handover-ssh-test-'));
  try {
    for (const [name, body] of Object.entries(programs)) {
      writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(directory, name), 0o755);
    }
    for (const tool of ['sh', 'grep']) {
      writeFileSync(join(directory, tool), `#!/bin/sh\nexec /bin/${tool} "$@"\n`);
      chmodSync(join(directory, tool), 0o755);
    }
    const ran = spawnSync('/bin/sh', ['-c', command], { env: { PATH: directory }, encoding: 'utf8' });
    return `${ran.stdout}${ran.stderr}[${ran.status}]`;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('what the host runs', () => {
  const helper = 'echo helper "$@"';
  const netcat = 'case "$1" in -h) echo "-q secs  quit after EOF" >&2;; *) echo nc "$@";; esac';

  test('is virt-ssh-helper where it exists', () => {
    const ran = runRemote(remoteCommand('qemu:///system', null), { 'virt-ssh-helper': helper, nc: netcat });
    expect(ran).toBe('helper qemu:///system\n[0]');
  });

  test('is netcat for a socket of its own, told to quit where it must be', () => {
    const command = remoteCommand('qemu:///system', "/run/it's here");
    expect(runRemote(command, { nc: netcat })).toBe("nc -q 0 -U /run/it's here\n[0]");
    expect(runRemote(command, { nc: '[ "$1" = -h ] || echo nc "$@"' })).toBe("nc -U /run/it's here\n[0]");
  });

  test('says so where there is neither helper nor socket', () => {
    const ran = runRemote(remoteCommand('qemu:///system', null).replaceAll('/run/libvirt', '/nowhere'), {});
    expect(ran).toBe('neither virt-ssh-helper nor a libvirt socket found\n[127]');
  });
});

describe('what the end of ssh means', () => {
  const cases: [string, number | null, string, string][] = [
    ['an unknown host key', 255, 'Host key verification failed.', 'HOST_KEY_UNKNOWN'],
    ['a changed host key', 255, '@ REMOTE HOST IDENTIFICATION HAS CHANGED! @', 'HOST_KEY_UNKNOWN'],
    ['a refused key', 255, 'root@host-a: Permission denied (publickey).', 'HOST_REFUSED_CREDENTIALS'],
    ['no such host', 255, 'ssh: Could not resolve hostname host-a: Name or service', 'HOST_UNREACHABLE'],
    ['a refused connection', 255, 'connect to host host-a port 22: Connection refused', 'HOST_UNREACHABLE'],
    ['no daemon there', 127, 'sh: 1: nc: not found', 'HOST_UNREACHABLE'],
    ['a signal', null, '', 'HOST_UNREACHABLE'],
  ];
  test.each(cases)('%s', (_, status, stderr, code) => {
    const verdict = sshVerdict('host-a', status, status === null ? 'SIGTERM' : null, stderr);
    expect(verdict).toMatchObject({ code, detail: { host: 'host-a', status } });
    expect(verdict?.message).toContain('host-a');
  });

  test('an orderly end is none', () => {
    expect(sshVerdict('host-a', 0, null, 'some banner')).toBeNull();
  });
});
