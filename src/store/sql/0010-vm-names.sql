-- The list of VMs is read part by part in this order.
create index vms_by_name on vms (name, id);
