-- A VM that is being removed from its hosts is not started meanwhile; a removal that died ends by itself.
alter table vms add column removing_until timestamptz;
