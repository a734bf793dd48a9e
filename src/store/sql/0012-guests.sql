-- The guest's side of VMs: what their owners want where no standby carries the traffic, and what the last
-- look at a guest found.
create table guests (
  vm_id uuid primary key,
  standby text not null default 'warn' check (standby in ('ignore', 'warn', 'require')),
  probe_address inet,
  readiness jsonb,
  constraint guests_vm foreign key (vm_id) references vms on delete cascade
);
