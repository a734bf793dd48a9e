/** Part of the wire suite: what a host tells about itself, its devices and networks. */
import { describe, expect, test } from 'vitest';
import {
  attr,
  child,
  isLibvirtCode,
  LIBVIRT_CODE,
  LIST_NODE_DEVICES,
  NODE_DEVICE_EVENTS,
  parseXml,
  procedures,
  textOf,
} from '../../src/libvirt/index.ts';
import { failureOf, watch } from './suite-tools.ts';
import type { SuiteContext } from './wire-suite.ts';

/** Declares the tests of this part. */
export function hostTests(context: SuiteContext): void {
  describe('a host', () => {
    test('tells capabilities with a UUID of its own', async () => {
      const uuids: string[] = [];
      for (const server of [context.a, context.b]) {
        const client = await context.open(server);
        const { xml } = await client.call(procedures.connectGetCapabilities, {}, { timeoutMs: 120_000 });
        uuids.push(textOf(child(child(parseXml(xml), 'host'), 'uuid')));
      }
      expect(uuids[0]).toMatch(/^[0-9a-f-]{36}$/);
      expect(uuids[0]).not.toBe(uuids[1]);
    });

    test('tells memory and processors', async () => {
      const client = await context.open(context.a);
      const info = await client.call(procedures.nodeGetInfo, {});
      expect(info.model).toBe('x86_64');
      expect(info.memoryKiB).toBeGreaterThan(100_000n);
      expect(info.cpus).toBeGreaterThan(0);
      const { freeBytes } = await client.call(procedures.nodeGetFreeMemory, {});
      expect(freeBytes).toBeGreaterThan(0n);
      const { count } = await client.call(procedures.nodeGetMemoryStats, { count: 0, cell: -1, flags: 0 });
      const { params } = await client.call(procedures.nodeGetMemoryStats, { count, cell: -1, flags: 0 });
      expect(params.find((one) => one.field === 'total')?.value).toBeGreaterThan(100_000n);
    });

    test('tells what a domain may have, and how a CPU compares to its own', async () => {
      const client = await context.open(context.a);
      const of = { emulator: null, arch: 'x86_64', machine: 'q35', virtType: 'qemu', flags: 0 };
      const { xml } = await client.call(procedures.connectGetDomainCapabilities, of, { timeoutMs: 120_000 });
      expect(parseXml(xml).name).toBe('domainCapabilities');
      const cpuXml = "<cpu mode='custom' match='exact'><model>qemu64</model></cpu>";
      const compared = await client.call(procedures.connectCompareHypervisorCpu, { ...of, cpuXml });
      expect([0, 1, 2]).toContain(compared.result);
    });

    test('lists its PCI devices and describes each', async () => {
      const client = await context.open(context.a);
      const { devices } = await client.call(procedures.connectListAllNodeDevices, {
        needResults: true,
        flags: LIST_NODE_DEVICES.pci,
      });
      expect(devices.length).toBeGreaterThan(0);
      const name = devices[0]?.name ?? '';
      const { xml } = await client.call(procedures.nodeDeviceGetXmlDesc, { name, flags: 0 });
      const root = parseXml(xml);
      expect(textOf(child(root, 'name'))).toBe(name);
      expect(attr(child(root, 'capability'), 'type')).toBe('pci');
      const { device } = await client.call(procedures.nodeDeviceLookupByName, { name });
      expect(device).toEqual({ name });
      const { parent } = await client.call(procedures.nodeDeviceGetParent, { name });
      expect(parent).toBeTruthy();
    });

    test('says that a device it does not have is missing', async () => {
      const client = await context.open(context.a);
      const error = await failureOf(
        client.call(procedures.nodeDeviceLookupByName, { name: 'pci_ffff_00_00_0' }),
      );
      expect(isLibvirtCode(error, LIBVIRT_CODE.noNodeDevice)).toBe(true);
    });

    test('takes registrations for device events, and takes them back', async () => {
      const client = await context.open(context.a);
      for (const kind of Object.values(NODE_DEVICE_EVENTS)) {
        const { subscription } = await watch<unknown>(client, kind);
        await subscription.off();
      }
      expect(client.isOpen).toBe(true);
    });

    test('lists its networks', async () => {
      const client = await context.open(context.a);
      const { networks, count } = await client.call(procedures.connectListAllNetworks, {
        needResults: true,
        flags: 0,
      });
      expect(networks).toHaveLength(count);
    });
  });
}
