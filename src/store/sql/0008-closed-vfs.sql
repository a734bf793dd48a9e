-- The VFs of a PF while their number is changed: nobody reserves or holds one until `lease_until`, or until the
-- change that closed them has ended.
create table closed_vfs (
  host_id uuid not null constraint closed_vfs_host references hosts on delete cascade,
  pf text not null,
  vfs text[] not null,
  change_id uuid not null unique,
  lease_until timestamptz not null,
  primary key (host_id, pf)
);
