/**
 * Where a resource is not what oVirt's is, and what it has beyond: the last column of
 * docs/reference/api-coverage.md, in Markdown. Made into that page by `tools/api-page.ts`; nothing else reads
 * it. What needs no word has no line; a line of a path that no route has is an error.
 */

/** By the path, with `ID` for each of its parameters. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  '/': '`product_info/version` is 4.5',

  '/datacenters': 'one, named `Default`',
  '/clusters': 'one, named `Default`',
  '/networks':
    '`network_labels` (one label) may be given with the network; `usages` is `vm` alone; ' +
    '`port_isolation`, `stp` and `external_provider` are refused',
  '/networks/ID': 'an empty `vlan` takes the tag away',
  '/vnicprofiles':
    '`migratable` is true unless said otherwise, as oVirt documents (its code says false). ' +
    '`network_filter` and `qos` must be empty: Handover applies none. `port_mirroring` of an ordinary ' +
    'profile is kept, not applied',
  '/vnicprofiles/ID': 'an empty `failover` takes the standby profile away; in oVirt it cannot be taken away',

  '/hosts':
    "`address` means `qemu+ssh://USER@ADDRESS:PORT/system` with the engine's own ssh key: a password is " +
    'accepted and not used. Extension `libvirt_uri`: any other URI instead. Extensions `peer_uri`, ' +
    '`migration_address`, `outgoing_migrations_max`, `incoming_migrations_max`. A POST answers once the ' +
    'host was looked at. `migration_target_of=VM` uses the plan',
  '/hosts/ID': '`status_detail` says why it is not up; a host need not be in maintenance to be removed',
  '/hosts/ID/deactivate':
    'no VM is placed there any more. Nothing is moved by itself: the host is `preparing_for_maintenance` ' +
    'while VMs run there (`status_detail` names them), `maintenance` once none does',
  '/hosts/ID/activate': 'looks at the host before it answers',
  '/hosts/ID/nics':
    'PF configuration and VFs are shown without `all_content`. Every VF is listed, attached or free, with ' +
    'a netdev or without. Extensions: `pci_address`, `driver`, `numa_node`, `virtual_function_state` ' +
    '(`free`, `reserved`, `attached`, `host`, `unusable`), `virtual_function_reason`, ' +
    '`number_of_free_virtual_functions`',
  '/hosts/ID/nics/ID/updatevirtualfunctionsconfiguration':
    'writes `sriov_numvfs` over the host channel and looks at the host before it answers; refused while ' +
    'one of the VFs is in use or reserved',
  '/hosts/ID/nics/ID/networkattachments': 'as below the host, of one nic',
  '/hosts/ID/devices': 'network cards, PFs, VFs and their network devices',
  '/hosts/ID/networkattachments':
    'derived, and only to be looked at: the bridge with the name of a network carries it',

  '/vms':
    'VMs come with their hosts. A POST defines one more: `initialization/configuration` with the `type` ' +
    '`libvirt`, which oVirt has not, and a domain XML as `data`; `host` (or the first of ' +
    '`placement_policy/hosts`) says where, which may be left out where there is one host; `name` replaces ' +
    'the one in it. It does not run yet',
  '/vms/ID':
    'a PUT may send back what is so, and changes nothing. A DELETE removes the definition of a VM that is ' +
    'down; disks stay, and libvirt refuses while it keeps a saved state or snapshots. `migrating` from ' +
    'before the answer to `migrate` until plug was tried once for every vNIC',
  '/vms/ID/hostdevices': 'PCI devices that are no vNICs',
  '/vms/ID/start':
    'on the host it is defined on, with a VF chosen and held for every vNIC that should have one. ' +
    'Answered once it runs; a VM of a live job is left alone (409)',
  '/vms/ID/shutdown': 'the guest is asked; it may take its time',
  '/vms/ID/stop': 'answered once it is down',
  '/vms/ID/nics':
    'a POST adds a vNIC with a `vnic_profile`: on a VF (`interface` `pci_passthrough`), or on the bridge ' +
    'that is named like its network (`virtio`, `e1000`, `e1000e`, `rtl8139`), plugged unless `plugged` is ' +
    'false; one that cannot be plugged is not added. `plugged` is what is wanted. ' +
    'Extensions: `actual_state` (`plugged`, `unplugged`, `unplug_pending`, `degraded`), ' +
    '`virtual_function`, `migration_blocker`',
  '/vms/ID/nics/ID':
    '`plugged` may be changed, and `vnic_profile`, on a plugged vNIC of a running VM too while the VLAN ' +
    'stays the same; everything else may only be sent back unchanged. A DELETE is refused (409) while a ' +
    'running guest has the vNIC',
  '/vms/ID/nics/ID/activate':
    'answered once it is in the guest; else nothing has changed, and the fault says ' +
    'why. Of a VM that is down, its definition is changed',
  '/vms/ID/nics/ID/deactivate': 'the same, answered once it is out of the guest and out of the definition',
  '/vms/ID/migrate':
    '`host` by id or name. Extensions: `plan` (in the body or the query: answers `migration_plan` and ' +
    'changes nothing), `copy_storage`, `unplug_timeout_ms`, `downtime_ms_max`, ' +
    '`bandwidth_mib_per_second`, `transfer_timeout_ms`. The answer names the `job`',
  '/vms/ID/cancelmigration': '200 only if the VM will stay on its source, else 409',

  '/jobs': 'newest first',
  '/jobs/ID': 'a cancelled job is `aborted`; one that waits for an operator is `started`',
  '/jobs/ID/steps':
    'one step a phase, and below it one a vNIC (`parent_step`); the phase is in the description; skipped ' +
    'is `finished`, undone is `aborted`',
  '/events':
    "newest first; oVirt's codes where it has the event, ours from 20000. With `from`, at most `max` of " +
    'those that follow it, the oldest ones. Extension: `job`',

  '/networkfilters': "libvirt's; a list, nothing of it can be chosen",
  '/templates': '`Blank` alone',
  '/tags': 'the root tag alone',
  '/operatingsystems': '`other` alone',
  '/options/ID': 'by name; those the VM Portal reads',

  '/users':
    'users of the directory `internal`, which is here: a POST needs `password` and `roles` (by `id` or ' +
    '`name`). Search field `usrname`',
  '/users/ID': 'PUT sets `password`; everybody may set their own, with the extension `current_password`',
  '/users/ID/options': 'a POST is accepted and nothing is kept; GET is always empty',
  '/permissions': 'a role of a `user` on everything; GET with `Filter: true` is 403',
  '/roles': "three of oVirt's, with its ids: `SuperUser`, `UserVmManager`, `ReadOnlyAdmin`",
  '/roles/ID/permits': "those of oVirt's permits that mean something here",
  '/domains': 'one, named `internal`',
};
