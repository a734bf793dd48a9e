"""libgovirt as it comes, in the hands of a program: connects, lists, follows, acts. Prints what it saw as JSON.

usage: govirt-client.py URL USER PASSWORD
"""
import json
import sys

import gi

gi.require_version("GoVirt", "1.0")
from gi.repository import GoVirt  # noqa: E402

url, user, password = sys.argv[1:4]


def connected(name, secret):
    proxy = GoVirt.Proxy.new(url)
    proxy.props.username = name
    proxy.props.password = secret
    return proxy


def names(collection):
    return sorted(collection.get_resources().keys())


proxy = connected(user, password)
api = proxy.fetch_api()
seen = {"api": api is not None}

vms = api.get_vms()
vms.fetch(proxy)
seen["vms"] = names(vms)
hosts = api.get_hosts()
hosts.fetch(proxy)
seen["hosts"] = names(hosts)
clusters = api.get_clusters()
clusters.fetch(proxy)
seen["clusters"] = names(clusters)
data_centers = api.get_data_centers()
data_centers.fetch(proxy)
seen["data_centers"] = names(data_centers)

found = api.search_vms("name=web-1")
found.fetch(proxy)
seen["found"] = names(found)

vm = vms.lookup_resource("web-1")
host = vm.get_host()
host.refresh(proxy)
seen["host_of_vm"] = host.props.name
cluster = vm.get_cluster()
cluster.refresh(proxy)
seen["cluster_of_vm"] = cluster.props.name
within = data_centers.lookup_resource("Default").get_clusters()
within.fetch(proxy)
seen["clusters_of_data_center"] = names(within)

call = proxy.new_call()
call.set_method("POST")
call.set_function("ovirt-engine/api/vms/%s/migrate" % vm.props.guid)
call.add_header("Content-Type", "application/xml")
seen["action_sent"] = call.sync()
seen["action_answer"] = call.get_payload()

print(json.dumps(seen))
