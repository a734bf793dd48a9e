-- The <interface> of an ordinary vNIC that its user took out of its VM, to plug it again as it was.
alter table vnics add column unplugged_xml text;
