-- A VM that left its host and was not seen on another yet: since when. It is forgotten a while later.
alter table vms add column missed_since timestamptz;
