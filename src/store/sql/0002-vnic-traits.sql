-- What else of an interface's XML has to be there again when its VF is plugged (driver, rom, boot, acpi).
alter table vnics add column traits_xml text not null default '';
