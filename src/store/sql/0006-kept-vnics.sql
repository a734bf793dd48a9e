-- A vNIC that its user plugged or unplugged here stays known while no domain shows it.
alter table vnics add column kept boolean not null default false;
