/** A row of `vnics` and the noun it stands for, both ways. */
import type { Mac, PciAddress, VmId, VnicId, VnicProfileId } from '../base/ids.ts';
import type { Vnic, VnicActual } from '../model/vm.ts';

/** Column by column, as read and as written. */
export interface VnicRow {
  readonly id: VnicId;
  readonly vm_id: VmId;
  readonly name: string;
  readonly alias: string | null;
  readonly mac: Mac;
  readonly passthrough: boolean;
  readonly model: string | null;
  readonly bridge: string | null;
  readonly profile_id: VnicProfileId | null;
  readonly plugged: boolean;
  readonly kept: boolean;
  readonly actual: VnicActual;
  readonly vf: PciAddress | null;
  readonly managed: boolean;
  readonly vlan: number | null;
  readonly guest_address: PciAddress | null;
  readonly traits_xml: string;
  readonly pool: string | null;
  readonly unplugged_xml: string | null;
  readonly blocker: string | null;
}

/** The noun of a row. */
export const toVnic = (row: VnicRow): Vnic => ({
  id: row.id,
  vmId: row.vm_id,
  name: row.name,
  alias: row.alias,
  mac: row.mac,
  passthrough: row.passthrough,
  model: row.model,
  bridge: row.bridge,
  profileId: row.profile_id,
  plugged: row.plugged,
  kept: row.kept,
  actual: row.actual,
  vf: row.vf,
  managed: row.managed,
  vlan: row.vlan,
  guestAddress: row.guest_address,
  traitsXml: row.traits_xml,
  pool: row.pool,
  unpluggedXml: row.unplugged_xml,
  blocker: row.blocker,
});

/** The row of a noun. */
export const fromVnic = (vnic: Vnic): VnicRow => ({
  id: vnic.id,
  vm_id: vnic.vmId,
  name: vnic.name,
  alias: vnic.alias,
  mac: vnic.mac,
  passthrough: vnic.passthrough,
  model: vnic.model,
  bridge: vnic.bridge,
  profile_id: vnic.profileId,
  plugged: vnic.plugged,
  kept: vnic.kept,
  actual: vnic.actual,
  vf: vnic.vf,
  managed: vnic.managed,
  vlan: vnic.vlan,
  guest_address: vnic.guestAddress,
  traits_xml: vnic.traitsXml,
  pool: vnic.pool,
  unplugged_xml: vnic.unpluggedXml,
  blocker: vnic.blocker,
});
