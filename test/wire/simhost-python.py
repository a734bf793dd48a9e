"""python3-libvirt against two simulated hosts: what a tool of somebody else does. Prints one JSON object."""

import json
import sys
import threading

import libvirt

NIC = """<interface type='bridge'>
  <mac address='52:54:00:99:00:01'/><source bridge='prod'/><model type='virtio'/><alias name='ua-python'/>
</interface>"""
LIMIT_S = 60


def pump():
    while True:
        libvirt.virEventRunDefaultImpl()


class Seen:
    """Events, and waiting for one."""

    def __init__(self):
        self.events = []
        self.changed = threading.Condition()

    def add(self, *event):
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait(self, *event):
        with self.changed:
            if not self.changed.wait_for(lambda: event in self.events, LIMIT_S):
                raise SystemExit(f"no event {event} in {self.events}")


def main(source_uri, target_uri):
    libvirt.virEventRegisterDefaultImpl()
    threading.Thread(target=pump, daemon=True).start()
    source, target = libvirt.open(source_uri), libvirt.open(target_uri)
    seen = Seen()
    source.domainEventRegisterAny(
        None,
        libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED,
        lambda conn, dom, alias, opaque: seen.add("removed", alias),
        None,
    )
    target.domainEventRegisterAny(
        None,
        libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE,
        lambda conn, dom, event, detail, opaque: seen.add("lifecycle", dom.name(), event, detail),
        None,
    )
    web = source.lookupByName("web-1")
    before = sorted(dom.name() for dom in source.listAllDomains())
    web.attachDeviceFlags(NIC, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    attached = "ua-python" in web.XMLDesc(0)
    for alias in ("ua-python", "ua-vf0"):
        web.detachDeviceAlias(alias, libvirt.VIR_DOMAIN_AFFECT_LIVE)
        seen.wait("removed", alias)
    flags = (
        libvirt.VIR_MIGRATE_LIVE
        | libvirt.VIR_MIGRATE_PEER2PEER
        | libvirt.VIR_MIGRATE_PERSIST_DEST
        | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
    )
    web.migrateToURI3(target_uri, {}, flags)
    seen.wait("lifecycle", "web-1", libvirt.VIR_DOMAIN_EVENT_RESUMED, libvirt.VIR_DOMAIN_EVENT_RESUMED_MIGRATED)
    moved = target.lookupByName("web-1")
    print(
        json.dumps(
            {
                "before": before,
                "attached": attached,
                "after": sorted(dom.name() for dom in source.listAllDomains()),
                "state": moved.state()[0],
                "downtime": moved.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED).get("downtime", -1),
            }
        )
    )


main(*sys.argv[1:])
