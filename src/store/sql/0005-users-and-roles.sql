-- What a user may do. Until now there was one user, who may do everything.
alter table users add column roles text[] not null default array['SuperUser'];
alter table users alter column roles drop default;
alter table users add constraint users_roles_are_known check (
  cardinality(roles) >= 1 and roles <@ array['SuperUser', 'UserVmManager', 'ReadOnlyAdmin']
);

-- A session ends with its user, and at `ends_at` however much it is used.
delete from sessions where user_name not in (select name from users);
alter table sessions
  add constraint sessions_user foreign key (user_name) references users on delete cascade;
alter table sessions add column ends_at timestamptz;
update sessions set ends_at = expires_at;
alter table sessions alter column ends_at set not null;
create index sessions_user on sessions (user_name);

-- Failed sign-ons, by a hash of who was named or of where they came from: what is typed as a name may be a
-- password.
create table sign_on_failures (
  key text primary key,
  failures integer not null check (failures >= 1),
  failed_at timestamptz not null,
  refused_until timestamptz not null
);
create index sign_on_failures_age on sign_on_failures (failed_at);
