/** Hosts that cannot be added: each mistake has its own clear error, and nothing is stored. */
import { ApiRefusal } from '../engine-api.ts';
import type { Scenario } from '../runner.ts';
import { Checks, startLabEngine } from './support.ts';

const CASES = [
  {
    what: 'an unknown host key',
    uri: 'qemu+ssh://root@10.77.0.11/system?known_hosts=/dev/null',
    says: /key/i,
  },
  { what: 'refused credentials', uri: 'qemu+ssh://nobody@10.77.0.11/system', says: /refused|denied/i },
  { what: 'an address where nothing is', uri: 'qemu+ssh://root@10.77.0.99/system', says: /10\.77\.0\.99/ },
  { what: 'a URI of another driver', uri: 'xen+ssh://root@10.77.0.11/system', says: /qemu/ },
  {
    what: 'TLS without a certificate',
    uri: 'qemu+tls://10.77.0.11/system?pkipath=/nonexistent',
    says: /nonexistent|certificate/i,
  },
  { what: 'the same machine twice', uri: 'qemu+tcp://10.77.0.11/system', says: /same machine/ },
] as const;

const scenario: Scenario = {
  name: 'host-refusals',
  title: 'hosts that cannot be reached or trusted are refused with the reason and not added',
  async run(lab) {
    const engine = await startLabEngine(lab);
    const checks = new Checks();
    try {
      for (const { what, uri, says } of CASES) {
        const refusal = await engine.api.add('hosts', { name: 'wrong', libvirt_uri: uri }).then(
          () => null,
          (error: unknown) => error,
        );
        checks.that(
          `${what} is refused`,
          refusal instanceof ApiRefusal && refusal.status < 600 && refusal.status !== 500,
          String(refusal),
        );
        checks.that(`${what}: the message says so`, says.test(String(refusal)), String(refusal));
      }
      const hosts = (await engine.api.list('hosts', 'host')).map((host) => host.name).sort();
      checks.equal('hosts', hosts, ['host-a', 'host-b']);
    } finally {
      await engine.stop();
    }
    checks.done();
  },
};
export default scenario;
