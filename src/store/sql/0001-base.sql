-- The first schema. Names are the words of the product: see src/model. Requires PostgreSQL 15 (nulls not distinct).
-- Observed facts are JSON; what is asked for, held or decided is columns with constraints.
-- History (jobs, their steps, events) outlives the hosts and VMs it names, hence no foreign keys from it to them.

create table hosts (
  id uuid primary key,
  name text not null,
  uri text not null,
  peer_uri text,
  migration_address text,
  status text not null check (status in ('connecting', 'up', 'non_responsive', 'maintenance')),
  status_reason text,
  outgoing_max integer not null check (outgoing_max >= 0),
  incoming_max integer not null check (incoming_max >= 0),
  inventory jsonb,
  observed_at timestamptz,
  constraint hosts_name_unique unique (name),
  constraint hosts_seen_at_a_time check ((inventory is null) = (observed_at is null))
);

create table peer_tests (
  source_host_id uuid not null references hosts on delete cascade,
  target_host_id uuid not null references hosts on delete cascade,
  ok boolean not null,
  message text not null,
  tested_at timestamptz not null,
  primary key (source_host_id, target_host_id)
);
create index peer_tests_target on peer_tests (target_host_id);

create table networks (
  id uuid primary key,
  name text not null,
  vlan integer check (vlan between 1 and 4094),
  label text,
  mtu integer check (mtu > 0),
  description text,
  constraint networks_name_unique unique (name)
);

create table vnic_profiles (
  id uuid primary key,
  name text not null,
  network_id uuid not null constraint vnic_profiles_network references networks,
  pass_through boolean not null,
  migratable boolean not null,
  port_mirroring boolean not null,
  failover_id uuid constraint vnic_profiles_failover references vnic_profiles,
  description text,
  constraint vnic_profiles_name_unique unique (network_id, name)
);

create table pf_configs (
  host_id uuid not null constraint pf_configs_host references hosts on delete cascade,
  pf text not null,
  all_networks_allowed boolean not null,
  labels text[] not null,
  primary key (host_id, pf)
);

create table pf_config_networks (
  host_id uuid not null,
  pf text not null,
  network_id uuid not null constraint pf_config_networks_network references networks on delete cascade,
  primary key (host_id, pf, network_id),
  foreign key (host_id, pf) references pf_configs on delete cascade
);
create index pf_config_networks_network on pf_config_networks (network_id);

-- `migrating` is derived from a live job, never stored.
create table vms (
  id uuid primary key,
  name text not null,
  host_id uuid constraint vms_host references hosts on delete cascade,
  status text not null check (status in ('up', 'down', 'paused', 'powering_down', 'unknown', 'not_responding')),
  memory_kib bigint not null check (memory_kib >= 0),
  vcpus integer not null check (vcpus >= 0)
);
create index vms_host on vms (host_id);

create table vnics (
  id uuid primary key,
  vm_id uuid not null references vms on delete cascade,
  name text not null,
  alias text,
  mac text not null,
  passthrough boolean not null,
  model text,
  bridge text,
  profile_id uuid constraint vnics_profile references vnic_profiles,
  plugged boolean not null,
  actual text not null check (actual in ('plugged', 'unplugged', 'unplug_pending', 'degraded')),
  vf text,
  managed boolean not null,
  vlan integer,
  guest_address text,
  pool text,
  blocker text,
  constraint vnics_name_unique unique (vm_id, name)
);
create index vnics_profile on vnics (profile_id);

-- A second definition of a VM that runs elsewhere. No foreign key to vms: this host may be looked at first.
create table stale_definitions (
  host_id uuid not null references hosts on delete cascade,
  vm_id uuid not null,
  primary key (host_id, vm_id)
);
create index stale_definitions_vm on stale_definitions (vm_id);

create table jobs (
  id uuid primary key,
  kind text not null check (kind = 'migrate_vm'),
  vm_id uuid not null,
  vm_name text not null,
  state text not null check (
    state in ('queued', 'running', 'undoing', 'succeeded', 'failed', 'cancelled', 'needs_operator')
  ),
  -- What a parked job was doing, for `retry`.
  resume_state text not null default 'running' check (resume_state in ('queued', 'running', 'undoing')),
  params jsonb not null,
  data jsonb not null default '{}',
  source_host_id uuid not null,
  target_host_id uuid,
  step_index integer not null default 0 check (step_index >= 0),
  pivoted boolean not null default false,
  cancel_requested boolean not null default false,
  wait_reason text,
  run_after timestamptz,
  error jsonb,
  correlation_id text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  -- The claim: who works on it, until when unless renewed, and the fencing number every write must name.
  owner text,
  lease_until timestamptz,
  epoch bigint not null default 0,
  constraint jobs_ended_has_time check ((state in ('succeeded', 'failed', 'cancelled')) = (ended_at is not null)),
  constraint jobs_claim_is_whole check ((owner is null) = (lease_until is null)),
  constraint jobs_ended_is_unclaimed check (ended_at is null or owner is null)
);
create unique index jobs_one_live_per_vm on jobs (vm_id) where ended_at is null;
create index jobs_due on jobs (created_at, id) where state in ('queued', 'running', 'undoing');
create index jobs_newest on jobs (created_at desc, id);
create index jobs_vm on jobs (vm_id, created_at desc);

create table job_steps (
  job_id uuid not null references jobs on delete cascade,
  number integer not null,
  name text not null,
  item text,
  state text not null check (state in ('started', 'finished', 'failed', 'skipped', 'undone')),
  attempts integer not null,
  message text,
  started_at timestamptz not null,
  ended_at timestamptz,
  primary key (job_id, number),
  constraint job_steps_one_row_per_item unique nulls not distinct (job_id, name, item)
);

-- Promise 2: a VF is held by at most one job. Promise 3: rows go in the transaction that ends their job.
create table reservations (
  host_id uuid not null constraint reservations_host references hosts,
  vf text not null,
  job_id uuid not null references jobs on delete cascade,
  vm_id uuid not null,
  vnic_id uuid not null,
  side text not null check (side in ('source', 'target')),
  primary key (host_id, vf)
);
create index reservations_job on reservations (job_id);

create table events (
  id bigint primary key generated always as identity,
  code integer not null,
  severity text not null check (severity in ('normal', 'warning', 'error', 'alert')),
  time timestamptz not null default now(),
  message text not null,
  vm_id uuid,
  host_id uuid,
  job_id uuid,
  correlation_id text
);
create index events_vm on events (vm_id, id);
create index events_job on events (job_id, id);

-- What an alert is about takes the alert along when it goes.
create table alerts (
  key text primary key,
  message text not null,
  vm_id uuid references vms on delete cascade,
  host_id uuid references hosts on delete cascade,
  raised_at timestamptz not null default now()
);
create index alerts_vm on alerts (vm_id);
create index alerts_host on alerts (host_id);

create table users (
  name text primary key,
  password_hash text not null
);

create table sessions (
  token_hash text primary key,
  user_name text not null,
  expires_at timestamptz not null
);
create index sessions_expiry on sessions (expires_at);
