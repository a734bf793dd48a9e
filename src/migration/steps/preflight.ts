/**
 * Preflight: everything that can be known without touching anything, looked at now and not remembered from
 * the plan. A refusal here costs nothing: the guest has not noticed anything yet.
 */
import { explain, HandoverError } from '../../base/errors.ts';
import { type Domain, disksToCopy, isActive, pciAddressesOf } from '../../model/domain.ts';
import { type Host, type HostInventory, peerUriOf } from '../../model/host.ts';
import type { MovingVnic } from '../../model/job.ts';
import { defineStep, finished } from '../../saga/definition.ts';
import type { MigrationContext, Standby } from '../port.ts';
import { changedVnic, vnicsOf } from '../vnics.ts';

/** Host-to-host access is tested again when the last test is older than this. */
const PEER_TEST_AGE_MAX_MS = 10 * 60_000;

interface Seen {
  readonly domain: Domain | null;
  readonly inventory: HostInventory;
  readonly onTarget: Domain | null;
  readonly blockers: readonly string[];
  /** null: no VF leaves. */
  readonly standby: Standby | null;
}

export const preflight = defineStep<MigrationContext, Seen | null>({
  name: 'preflight',
  kind: 'reversible',

  async inspect(context) {
    // After a crash further down, the checks have passed once and the VFs may be out: nothing here would be
    // true any more.
    if (context.data.unplugAskedAt !== undefined || context.data.transferStartedAt !== undefined) return null;
    const { host, hypervisor } = await context.target();
    const domain = await context.source.inspect(context.vmId);
    const leaves = vnicsOf(context).some(({ sourceVf }) => sourceVf !== null);
    return {
      domain,
      inventory: await context.ports.observeHost(host.id),
      onTarget: await hypervisor.inspect(context.vmId),
      blockers: domain ? await blockersOf(context) : [],
      standby: domain && leaves ? await context.ports.standbyOf(context.vmId) : null,
    };
  },

  async run(context, seen) {
    if (seen === null) return finished('checked before');
    const { host, hypervisor } = await context.target();
    const domain = checkSource(context, seen);
    checkTarget(context, seen, domain, host);
    for (const vnic of vnicsOf(context)) checkTargetVf(context, vnic, host, seen.inventory);
    if (!context.params.copyStorage) {
      for (const disk of disksToCopy(domain.disks)) {
        if (disk.kind !== 'file' || disk.source === null) continue;
        const file = await hypervisor.inspectFile(disk.source).catch(() => null);
        if (file && !file.exists) {
          refuse(
            `disk ${disk.target} (${disk.source}) is not on ${host.name}; share the storage or use ` +
              `--copy-storage`,
          );
        }
      }
    }
    await checkStandby(context, seen.standby);
    const cpu = seen.inventory.cpuXml && context.sourceHost.inventory?.cpuXml;
    const fits = cpu ? await hypervisor.compareCpu(cpu).catch(() => 'unknown' as const) : 'unknown';
    const protocol = await choosePath(context, host);
    await Promise.all([
      context.source.prepareMigration(),
      protocol === 'direct' ? hypervisor.prepareMigration() : null,
    ]);
    await context.save({
      persistent: domain.persistent,
      autostart: domain.autostart,
      hadAgent: domain.agentConnected,
      pairs: seen.standby?.pairs ?? [],
      standbyDoubt: seen.standby?.doubt ?? null,
      targetHadDefinition: seen.onTarget !== null,
      protocol,
    });
    const note =
      fits === 'incompatible' ? '; its CPU differs, libvirt will decide whether the guest fits' : '';
    return finished(
      `${host.name} is ready (${protocol === 'p2p' ? 'peer-to-peer' : 'driven by the engine'})${note}`,
    );
  },
});

function refuse(message: string): never {
  throw new HandoverError('MIGRATION_REFUSED', message);
}

async function blockersOf(context: MigrationContext): Promise<readonly string[]> {
  try {
    return await context.source.migrationBlockers(context.vmId, { copyStorage: context.params.copyStorage });
  } catch (thrown) {
    if (thrown instanceof HandoverError && thrown.kind === 'refused') return [explain(thrown)];
    throw thrown;
  }
}

function checkSource(context: MigrationContext, seen: Seen): Domain {
  const { vmName, sourceHost } = context;
  const { domain } = seen;
  if (!domain || !isActive(domain)) refuse(`${vmName} no longer runs on ${sourceHost.name}`);
  if (domain.state !== 'running')
    refuse(`${vmName} is ${domain.state} on ${sourceHost.name}; only a running VM can be moved live`);
  const moving = vnicsOf(context);
  const changed = changedVnic(context, domain);
  if (changed !== null) refuse(changed);
  // A VF of this job is expected among the blockers: it leaves before the transfer.
  const others = seen.blockers.filter(
    (reason) => !moving.some(({ sourceVf }) => sourceVf !== null && reason.includes(sourceVf)),
  );
  if (others.length > 0)
    refuse(`libvirt refuses to migrate ${vmName} from ${sourceHost.name}: ${others.join('; ')}`);
  return domain;
}

/** A standby that is missing is said, or refused, as the VM's owner wants it; one that is unknown is not. */
async function checkStandby(context: MigrationContext, standby: Standby | null): Promise<void> {
  if (standby === null || standby.missing.length === 0 || standby.policy === 'ignore') return;
  if (standby.policy === 'require') {
    refuse(
      `${standby.missing.join('; ')}; its owner wants it moved with a standby only ` +
        `(handover guest policy ${context.vmName} warn)`,
    );
  }
  const told = context.data.warnings ?? [];
  const news = standby.missing.filter((message) => !told.includes(message));
  if (news.length === 0) return;
  await context.save({ warnings: [...told, ...news] });
  const job = { jobId: context.jobId, vmId: context.vmId };
  for (const message of news) {
    await context.ports.event(job, {
      name: 'STANDBY_MISSING',
      severity: 'warning',
      message: `${context.vmName}: ${message}`,
      hostId: context.sourceHost.id,
    });
  }
}

function checkTarget(context: MigrationContext, seen: Seen, domain: Domain, host: Host): void {
  const { vmName } = context;
  if (seen.onTarget && isActive(seen.onTarget))
    refuse(`${host.name} already has an active domain ${seen.onTarget.name} with the UUID of ${vmName}`);
  const { inventory } = seen;
  if (inventory.memoryFreeKiB < domain.memoryKiB) {
    refuse(
      `${host.name} has ${Math.floor(inventory.memoryFreeKiB / 1024)} MiB of memory free, ${vmName} ` +
        `needs ${Math.ceil(domain.memoryKiB / 1024)} MiB`,
    );
  }
  const bridges = new Set(inventory.bridges.map((bridge) => bridge.name));
  for (const each of domain.interfaces) {
    // Without a host channel nobody can tell; the plan said so.
    if (each.bridge !== null && inventory.channel.works && !bridges.has(each.bridge)) {
      refuse(
        `${host.name} has no bridge ${each.bridge}, which the standby vNIC ${each.mac} of ${vmName} ` +
          `needs; create it there`,
      );
    }
  }
}

function checkTargetVf(context: MigrationContext, vnic: MovingVnic, host: Host, now: HostInventory): void {
  const at = vnic.targetVf;
  const pf = now.pfs.find((each) => each.vfs.some((vf) => vf.pciAddress === at));
  const vf = pf?.vfs.find((each) => each.pciAddress === at);
  if (!pf || !vf) refuse(`VF ${at} is gone from ${host.name}; were its VFs re-created? Try again`);
  if (pf.carrier === false)
    refuse(`PF ${pf.name} on ${host.name} has no carrier; check its cable or switch port`);
  if (vf.netdevUse !== null)
    refuse(`VF ${vnic.targetVf} on ${host.name} is used by the host itself: ${vf.netdevUse}`);
  const user = now.domains.find((domain) => {
    const { live, config } = pciAddressesOf(domain);
    return domain.uuid !== context.vmId && (live.includes(at) || (domain.autostart && config.includes(at)));
  });
  if (user) {
    throw new HandoverError(
      'VF_TAKEN',
      `VF ${vnic.targetVf} on ${host.name}, reserved for vNIC ${vnic.name}, is used by the domain ` +
        `${user.name}; try again`,
    );
  }
}

/** Peer-to-peer if the source daemon reaches the target's; tested, not assumed. */
async function choosePath(context: MigrationContext, host: Host): Promise<'p2p' | 'direct'> {
  const peerUri = peerUriOf(host);
  if (peerUri === null) return 'direct';
  const last = context.sourceHost.peerTests[host.id];
  if (last && context.clock.now() - last.testedAt < PEER_TEST_AGE_MAX_MS) return last.ok ? 'p2p' : 'direct';
  try {
    const test = await context.source.testPeer(peerUri);
    await context.ports.recordPeerTest(context.sourceHost.id, host.id, test.ok, test.message);
    return test.ok ? 'p2p' : 'direct';
  } catch (thrown) {
    // Without a host channel nobody can try; libvirt itself will say so when it dials.
    if (thrown instanceof HandoverError && thrown.code === 'HOST_CHANNEL_UNAVAILABLE') return 'p2p';
    throw thrown;
  }
}
