/**
 * What connections cost in memory: opens COUNT of them to URI in a process of its own, makes a call on each,
 * and prints `{rssBeforeMiB, rssAfterMiB}`. Started by bench/libvirt.ts with arguments URI COUNT.
 */
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { connect, type LibvirtClient, procedures } from '../../src/libvirt/index.ts';

const [uri = '', count = '0'] = process.argv.slice(2);
const rssMiB = () => process.memoryUsage.rss() / 2 ** 20;

const rssBeforeMiB = rssMiB();
const clients: LibvirtClient[] = [];
for (let opened = 0; opened < Number(count); opened++) {
  clients.push(await connect(uri, { clock: systemClock, log: silentLog }));
}
for (const client of clients) {
  await client.call(procedures.connectListAllDomains, { needResults: true, flags: 0 });
}
process.stdout.write(`${JSON.stringify({ rssBeforeMiB, rssAfterMiB: rssMiB() })}\n`);
await Promise.all(clients.map((client) => client.close()));
