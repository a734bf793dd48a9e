/** The shell behind the host channel, with a real sh. */
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, until } from '../base/clock.ts';
import { isCode } from '../base/errors.ts';
import { systemRandom } from '../base/random.ts';
import { type HostShell, openShell, shellQuote } from './host-shell.ts';

const deps = { clock: systemClock, random: systemRandom };
const LIMIT_MS = 30_000;
let shells: HostShell[] = [];

function shell(argv: readonly string[] = ['sh']): HostShell {
  const opened = openShell(deps, 'host-a', argv);
  shells.push(opened);
  return opened;
}

afterEach(() => {
  for (const each of shells) each.close();
  shells = [];
});

describe('a host shell', () => {
  test('gives output, error output and exit code apart', async () => {
    const result = await shell().run(['sh', '-c', 'echo out; echo err >&2; exit 3'], LIMIT_MS);
    expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  test('serves many commands asked at once, in order', async () => {
    const one = shell();
    const results = await Promise.all([1, 2, 3, 4].map((n) => one.run(['echo', String(n)], LIMIT_MS)));
    expect(results.map((result) => result.stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
  });

  test('passes words as they are, whatever a shell would make of them', async () => {
    const words = ["it's", '$(touch /tmp/x)', '`id`', '; rm -rf /', '*', '', 'a\nb', '-n', '\\'];
    const result = await shell().run(['printf', '[%s]', ...words], LIMIT_MS);
    expect(result.stdout).toBe(words.map((word) => `[${word}]`).join(''));
    expect(shellQuote('plain/path.1')).toBe('plain/path.1');
  });

  test('a command gets no input', async () => {
    expect((await shell().run(['cat'], LIMIT_MS)).stdout).toBe('');
  });

  test('output without a final newline, and output like a marker, arrive unchanged', async () => {
    const one = shell();
    expect((await one.run(['printf', 'no newline'], LIMIT_MS)).stdout).toBe('no newline');
    expect((await one.run(['printf', '\\nend-x 0\\n'], LIMIT_MS)).stdout).toBe('\nend-x 0\n');
  });

  test('a megabyte of output arrives whole', async () => {
    const result = await shell().run(['sh', '-c', 'head -c 1000000 /dev/zero | tr "\\0" x'], LIMIT_MS);
    expect(result.stdout.length).toBe(1_000_000);
  });

  test('a banner before the first command is not taken for output', async () => {
    const one = shell(['sh', '-c', 'echo Welcome; echo to this host >&2; exec sh']);
    expect(await one.run(['echo', 'hi'], LIMIT_MS)).toEqual({ exitCode: 0, stdout: 'hi\n', stderr: '' });
  });

  test('a command that outlives its limit is ended on the host and the shell lives on', async () => {
    const one = shell();
    expect((await one.run(['sleep', '60'], 1000)).exitCode).toBe(124);
    expect((await one.run(['echo', 'still here'], LIMIT_MS)).stdout).toBe('still here\n');
  });

  test('a shell that cannot start says why, and nothing was sent', async () => {
    const refused = shell(['sh', '-c', 'echo Permission denied >&2; exit 255']);
    const error = await refused.run(['echo'], LIMIT_MS).catch((thrown: unknown) => thrown);
    expect(isCode(error, 'HOST_CHANNEL_UNAVAILABLE')).toBe(true);
    expect(String(error)).toContain('Permission denied');
    const absent = await shell(['/nonexistent/ssh'])
      .run(['echo'], LIMIT_MS)
      .catch((thrown: unknown) => thrown);
    expect(isCode(absent, 'HOST_CHANNEL_UNAVAILABLE')).toBe(true);
  });

  test('a shell that ends in a command leaves the outcome unknown; the next starts anew', async () => {
    const one = shell();
    await one.run(['true'], LIMIT_MS);
    const error = await one
      .run(['sh', '-c', 'kill -9 $(ps -o ppid= -p $PPID)'], LIMIT_MS)
      .catch((e: unknown) => e);
    expect(isCode(error, 'REPLY_LOST')).toBe(true);
    expect((await one.run(['echo', 'new'], LIMIT_MS)).stdout).toBe('new\n');
  });

  test('a closed shell ends its process and refuses', async () => {
    const one = shell();
    const pid = Number((await one.run(['sh', '-c', 'ps -o ppid= -p $PPID'], LIMIT_MS)).stdout);
    one.close();
    await until(systemClock, 'the shell to end', { limitMs: LIMIT_MS, everyMs: 20 }, () => {
      try {
        process.kill(pid, 0);
        return undefined;
      } catch {
        return true;
      }
    });
    await expect(one.run(['true'], LIMIT_MS)).rejects.toThrow(/closed by the engine/);
  });
});
