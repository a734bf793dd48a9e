/**
 * Every key of the lab: ssh key pairs, the hosts' ssh host keys, a certificate authority and certificates for
 * libvirt over TLS. Made once per image; worth nothing outside the lab's namespace.
 *
 * Layout made by `makeKeys(directory)`:
 *     engine_ed25519, hosts_ed25519 (+ .pub)   clients: engine and scenarios; root of the hosts
 *     known_hosts                              the hosts' real keys, by name and address
 *     host-a/, host-b/                         what differs between hosts, laid over / by the host's init
 *     tls-engine/                              cacert.pem, clientcert.pem, clientkey.pem
 * Callers: `build-image.ts`.
 */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './shell.ts';
import { HOST_LETTERS, hostPlace } from './topology.ts';

/**
 * Long enough for any lab, counted from before the build: hosts restored from a snapshot live in the past.
 */
const CERTIFICATE_DAYS = 3650;

/** Fills `directory`, which exists and is empty. */
export async function makeKeys(directory: string): Promise<void> {
  const path = (name: string) => join(directory, name);
  await sshKey(path('engine_ed25519'), 'handover-lab-engine');
  await sshKey(path('hosts_ed25519'), 'handover-lab-hosts');
  const authority = path('ca');
  mkdirSync(authority);
  await makeAuthority(authority);
  mkdirSync(path('tls-engine'));
  await certificate(authority, path('tls-engine'), 'client', '/O=Handover/CN=engine');
  copyFileSync(join(authority, 'cacert.pem'), join(path('tls-engine'), 'cacert.pem'));

  let knownHosts = '';
  for (const letter of HOST_LETTERS) {
    const place = hostPlace(letter);
    const overlay = path(`host-${letter}`);
    const hostKey = join(overlay, 'etc/ssh/ssh_host_ed25519_key');
    mkdirSync(join(overlay, 'etc/ssh'), { recursive: true });
    await sshKey(hostKey, place.name);
    const [type, key] = readFileSync(`${hostKey}.pub`, 'utf8').split(' ');
    knownHosts += `${place.name},${place.managementAddress} ${type} ${key}\n`;
    await makeHostCertificates(authority, overlay, place.name, place.managementAddress);
  }
  writeFileSync(path('known_hosts'), knownHosts);
  // The authority signs nothing after this: scenarios that need a strange certificate make a strange
  // authority.
  rmSync(authority, { recursive: true });
}

/** libvirt's and QEMU's default places, so that neither needs configuration. */
async function makeHostCertificates(authority: string, overlay: string, name: string, address: string) {
  const libvirt = join(overlay, 'etc/pki/libvirt');
  const qemu = join(overlay, 'etc/pki/qemu');
  for (const directory of [join(overlay, 'etc/pki/CA'), join(libvirt, 'private'), qemu]) {
    mkdirSync(directory, { recursive: true });
  }
  copyFileSync(join(authority, 'cacert.pem'), join(overlay, 'etc/pki/CA/cacert.pem'));
  copyFileSync(join(authority, 'cacert.pem'), join(qemu, 'ca-cert.pem'));
  const alternative = `DNS:${name},IP:${address}`;
  for (const role of ['server', 'client'] as const) {
    await certificate(authority, libvirt, role, `/O=Handover/CN=${name}`, alternative);
    copyFileSync(join(libvirt, `${role}cert.pem`), join(qemu, `${role}-cert.pem`));
    copyFileSync(join(libvirt, `${role}key.pem`), join(qemu, `${role}-key.pem`));
    copyFileSync(join(libvirt, `${role}key.pem`), join(libvirt, 'private', `${role}key.pem`));
    rmSync(join(libvirt, `${role}key.pem`));
  }
}

async function sshKey(path: string, comment: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
}

async function makeAuthority(directory: string): Promise<void> {
  const subject = '/O=Handover/CN=lab authority';
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256'],
    ...['-days', String(CERTIFICATE_DAYS), '-subj', subject],
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...['-keyout', join(directory, 'cakey.pem'), '-out', join(directory, 'cacert.pem')],
  ]);
}

/** Makes `<role>cert.pem` and `<role>key.pem` in `directory`. */
async function certificate(
  authority: string,
  directory: string,
  role: 'server' | 'client',
  subject: string,
  alternativeNames?: string,
): Promise<void> {
  const file = (suffix: string) => join(directory, `${role}${suffix}.pem`);
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${role}Auth`,
    ...(alternativeNames ? [`subjectAltName=${alternativeNames}`] : []),
  ];
  writeFileSync(file('ext'), `${extensions.join('\n')}\n`);
  await run('openssl', [
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-sha256'],
    ...['-subj', subject, '-keyout', file('key'), '-out', file('request')],
  ]);
  await run('openssl', [
    ...['x509', '-req', '-sha256', '-days', String(CERTIFICATE_DAYS), '-in', file('request')],
    ...['-CA', join(authority, 'cacert.pem'), '-CAkey', join(authority, 'cakey.pem'), '-CAcreateserial'],
    ...['-extfile', file('ext'), '-out', file('cert')],
  ]);
  rmSync(file('ext'));
  rmSync(file('request'));
  chmodSync(file('key'), 0o600);
}
