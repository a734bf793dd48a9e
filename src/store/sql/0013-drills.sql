-- Jobs that rehearse a migration without moving the VM.
alter table jobs drop constraint jobs_kind_check;
alter table jobs add constraint jobs_kind_check check (kind in ('migrate_vm', 'drill_vm'));
