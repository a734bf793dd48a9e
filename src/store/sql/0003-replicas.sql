-- Several engines on one database: who watches which host, and what a choice was made from.

-- The engine that watches a host and plugs what is missing there. A row stays when the claim ends, so that epochs
-- only grow.
create table host_claims (
  host_id uuid primary key references hosts on delete cascade,
  owner text not null,
  epoch bigint not null,
  lease_until timestamptz not null
);

-- A VF is held for a live job, or (a hold) by the owner of its host while it plugs one vNIC there: as long as that
-- claim lasts, and no longer.
alter table reservations alter column job_id drop not null;
alter table reservations add column host_epoch bigint;
alter table reservations
  add constraint reservations_has_one_holder check ((job_id is null) <> (host_epoch is null));

-- One row. Its number grows with everything that gives a place on a host away; whoever chose from an older one
-- chooses again.
create table places (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into places (version) values (0);

-- From now on the target is that of a place given: what was asked for is in the parameters.
update jobs set target_host_id = null
where ended_at is null and not data ? 'targetHostId'
  and not exists (select from reservations r where r.job_id = jobs.id);

-- Looks are numbered as they begin: one that began earlier never replaces what a later one found.
create sequence looks;
alter table hosts add column inventory_look bigint not null default 0;
alter table hosts add column vms_look bigint not null default 0;
