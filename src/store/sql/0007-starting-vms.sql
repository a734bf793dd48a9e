-- A VM that its user asked to start, until it runs or cannot.
alter table vms add column starting boolean not null default false;
