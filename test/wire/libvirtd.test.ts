/** The wire suite against libvirt as installed: 11.3 on Debian 12 with backports. */
import { ensureWirePackages } from '../../tools/setup/wire-packages.ts';
import { consoleLog } from '../support/console-log.ts';
import { daemons } from './libvirtd-daemons.ts';
import { wireSuite } from './wire-suite.ts';

await ensureWirePackages(consoleLog);

wireSuite('libvirtd as installed', daemons());
