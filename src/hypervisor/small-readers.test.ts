/**
 * The small readers: capabilities, guest agent, state names, refusals, and which channel belongs to a URI.
 */
import { normalize } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../base/clock.ts';
import { HandoverError, isCode } from '../base/errors.ts';
import { systemRandom } from '../base/random.ts';
import { readCapabilities } from './capabilities-xml.ts';
import { channelFor, withSshConfig } from './channel-for.ts';
import { returnOf } from './agent.ts';
import { interfaceFile, parseInterfaces } from './guest-agent.ts';
import { migrationBlockersOf } from './refusals.ts';
import { lifecycleNames, stateNames } from './state-names.ts';

const CAPABILITIES = `<capabilities><host>
  <uuid>5D1AB000-0000-4000-8000-000000000001</uuid>
  <cpu><arch>x86_64</arch><model>qemu64-v1</model><vendor>AMD</vendor><feature name='npt'/></cpu>
  <topology><cells num='2'>
    <cell id='0'><cpus num='2'><cpu id='0' core_id='0'/><cpu id='1' core_id='1'/></cpus></cell>
    <cell id='1'><cpus num='1'><cpu id='2' core_id='0'/></cpus></cell>
  </cells></topology>
</host><guest/></capabilities>`;

describe('capabilities', () => {
  test('tell UUID, CPU and the NUMA node of each CPU', () => {
    const read = readCapabilities(CAPABILITIES);
    expect(read).toMatchObject({
      hostUuid: '5d1ab000-0000-4000-8000-000000000001',
      arch: 'x86_64',
      cpuModel: 'qemu64-v1',
      cpuVendor: 'AMD',
    });
    expect(read.cpuXml).toBe(
      "<cpu><arch>x86_64</arch><model>qemu64-v1</model><vendor>AMD</vendor><feature name='npt'/></cpu>",
    );
    expect([...read.nodeOfCpu]).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
    ]);
  });

  test('without a host are a protocol violation', () => {
    expect(() => readCapabilities('<capabilities/>')).toThrow(/no <host>/);
  });
});

describe('the guest agent', () => {
  test('tells interfaces, and packets of those with an address', () => {
    const answer = [
      {
        name: 'bond0',
        'hardware-address': '52:54:00:01:07:02',
        'ip-addresses': [{ 'ip-address': '10.78.0.107', prefix: 24 }],
        statistics: { 'rx-packets': 18, 'tx-packets': 16 },
      },
      { name: 'enp0s8', 'hardware-address': '52:54:00:01:07:02' },
      { name: 'enp0s3', statistics: { 'rx-packets': '7' } },
      { 'hardware-address': 'nameless' },
      null,
    ];
    expect(parseInterfaces(returnOf(JSON.stringify({ return: answer })))).toEqual([
      { name: 'bond0', mac: '52:54:00:01:07:02', hasAddress: true, rxPackets: 18 },
      { name: 'enp0s8', mac: '52:54:00:01:07:02', hasAddress: false, rxPackets: null },
      { name: 'enp0s3', mac: null, hasAddress: false, rxPackets: null },
    ]);
  });

  test('may say anything: it is nothing, or a list', () => {
    expect(returnOf('')).toBeUndefined();
    expect(parseInterfaces(returnOf('{"error":{}}'))).toBeNull();
    fc.assert(
      fc.property(fc.json(), (json) => {
        const list = parseInterfaces(returnOf(`{"return":${json}}`));
        expect(list === null || Array.isArray(list)).toBe(true);
      }),
    );
  });

  test('is asked for files of interfaces with plain names only', () => {
    expect(interfaceFile('enp0s8', 'statistics/rx_packets')).toBe(
      '/sys/class/net/enp0s8/statistics/rx_packets',
    );
    expect(interfaceFile('bond0.42', 'device/uevent')).toBe('/sys/class/net/bond0.42/device/uevent');
    expect(interfaceFile('a23456789012345', 'device/uevent')).not.toBeNull();
    for (const name of ['', '.', '..', '../..', 'a/b', '/etc', 'a b', 'a\n', 'a\0', 'a234567890123456'])
      expect(interfaceFile(name, 'device/uevent'), JSON.stringify(name)).toBeNull();
    fc.assert(
      fc.property(fc.string({ maxLength: 20 }), (name) => {
        const path = interfaceFile(name, 'device/uevent');
        expect(path === null || normalize(path) === path).toBe(true);
      }),
    );
  });
});

describe('names of numbers', () => {
  test.each([
    [1, 2, 'running', 'migrated'],
    [3, 2, 'paused', 'migration'],
    [3, 11, 'paused', 'starting_up'],
    [5, 6, 'shut_off', 'failed'],
    [5, 3, 'shut_off', 'crashed'],
    [1, 99, 'running', 'unknown'],
    [42, 1, 'no_state', 'unknown'],
  ])('state %i, reason %i is %s (%s)', (state, reason, name, why) => {
    expect(stateNames(state, reason)).toEqual({ state: name, stateReason: why });
  });

  test.each([
    [4, 1, 'resumed', 'migrated'],
    [5, 5, 'stopped', 'failed'],
    [3, 7, 'suspended', 'postcopy'],
    [99, 0, 'unknown', 'unknown'],
  ])('event %i, detail %i is %s (%s)', (event, detail, name, why) => {
    expect(lifecycleNames(event, detail)).toEqual({ name, detail: why });
  });
});

describe('what keeps a domain from moving', () => {
  const refusal = (libvirtCode: number, libvirtMessage: string) =>
    new HandoverError('LIBVIRT_REFUSED', 'refused', { detail: { libvirtCode, libvirtMessage } });

  test('is one text for each of QEMU’s joined reasons', () => {
    const text =
      'Requested operation is not valid: cannot migrate domain: 0000:01:10.2: no VFIO migration; no shmem';
    expect(migrationBlockersOf(refusal(55, text))).toEqual(['0000:01:10.2: no VFIO migration', 'no shmem']);
  });

  test('is libvirt’s own text where it refuses by itself, unsafe caching for instance', () => {
    expect(migrationBlockersOf(refusal(81, 'Unsafe migration: cache'))).toEqual(['Unsafe migration: cache']);
  });

  test('is not a lost reply, a missing domain or a busy one', () => {
    expect(migrationBlockersOf(new HandoverError('REPLY_LOST', 'lost'))).toBeNull();
    expect(migrationBlockersOf(refusal(42, 'no domain'))).toBeNull();
    expect(migrationBlockersOf(refusal(68, 'cannot acquire state change lock'))).toBeNull();
  });
});

describe('the host channel of a URI', () => {
  const deps = { clock: systemClock, random: systemRandom };

  test('over TLS and TCP there is none, and it says what to use', async () => {
    for (const uri of ['qemu+tls://host-a/system', 'qemu+tcp://host-a/system']) {
      const error = await channelFor(deps, 'host-a', uri)
        .readLinks()
        .catch((thrown: unknown) => thrown);
      expect(isCode(error, 'HOST_CHANNEL_UNAVAILABLE')).toBe(true);
      expect(String(error)).toContain('use qemu+ssh');
    }
  });

  test('a URI that cannot be used is refused at once', () => {
    expect(() => channelFor(deps, 'host-a', 'qemu+ssh://host-a/session')).toThrow(/system/);
  });

  test('the engine’s ssh configuration is for ssh URIs that name none', () => {
    const at = (uri: string) => withSshConfig(uri, '/etc/my config');
    expect(at('qemu+ssh://h/system')).toBe('qemu+ssh://h/system?ssh_config=%2Fetc%2Fmy%20config');
    expect(at('qemu+ssh://h/system?keyfile=/k')).toMatch(/\?keyfile=\/k&ssh_config=/);
    expect(at('qemu+ssh://h/system?ssh_config=/own')).toBe('qemu+ssh://h/system?ssh_config=/own');
    expect(at('qemu+tls://h/system')).toBe('qemu+tls://h/system');
    expect(withSshConfig('qemu+ssh://h/system', undefined)).toBe('qemu+ssh://h/system');
  });
});
