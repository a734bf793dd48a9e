/** A certificate authority for a test, and certificates of it; made with openssl, valid for a day. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths of PEM files, named as libvirt's `pkipath` wants them. */
export interface Identity {
  /** Holds cacert.pem, clientcert.pem and clientkey.pem. */
  readonly directory: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A new authority below `directory`. */
export class CertificateAuthority {
  readonly #directory: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    openssl(directory, [
      'req',
      '-x509',
      ...NEW_KEY,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '1',
      '-subj',
      `/CN=${name}`,
    ]);
  }

  /**
   * A certificate for servers (with these alternative names, such as `IP:127.0.1.1`) or for clients (with
   * none).
   */
  issue(name: string, alternativeNames: readonly string[] = []): Identity {
    const directory = join(this.#directory, name);
    mkdirSync(directory, { recursive: true });
    const usage = alternativeNames.length > 0 ? 'serverAuth' : 'clientAuth';
    const extensions = [`extendedKeyUsage=${usage}`];
    if (alternativeNames.length > 0) extensions.push(`subjectAltName=${alternativeNames.join(',')}`);
    writeFileSync(join(directory, 'extensions'), `${extensions.join('\n')}\n`);
    const subject = `/O=Handover/CN=${name}`;
    openssl(directory, ['req', ...NEW_KEY, '-keyout', 'clientkey.pem', '-out', 'request', '-subj', subject]);
    const ca = ['-CA', '../ca.pem', '-CAkey', '../ca.key', '-CAcreateserial'];
    const out = ['-out', 'clientcert.pem', '-days', '1', '-extfile', 'extensions'];
    openssl(directory, ['x509', '-req', '-in', 'request', ...ca, ...out]);
    openssl(directory, ['x509', '-in', '../ca.pem', '-out', 'cacert.pem']);
    return {
      directory,
      caFile: join(directory, 'cacert.pem'),
      certFile: join(directory, 'clientcert.pem'),
      keyFile: join(directory, 'clientkey.pem'),
    };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(directory: string, args: readonly string[]): void {
  const ran = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`openssl ${args.join(' ')} failed: ${ran.stderr}`);
}
