/** Connection URIs: what each part becomes, and what is refused. */
import { describe, expect, test } from 'vitest';
import { parseHostUri } from './uri.ts';

describe('a connection URI', () => {
  test('of the local daemon has no socket of its own, unless one is given', () => {
    expect(parseHostUri('qemu:///system')).toEqual({
      text: 'qemu:///system',
      driverUri: 'qemu:///system',
      endpoint: { transport: 'unix', socket: null },
    });
    expect(parseHostUri('qemu+unix:///system?socket=/run/a%20b').endpoint).toEqual({
      transport: 'unix',
      socket: '/run/a b',
    });
  });

  test('by ssh has user, port, key, known hosts, configuration and socket', () => {
    const uri = 'qemu+ssh://ops@host-a:2222/system?keyfile=/k&known_hosts=/kh&ssh_config=/c&socket=/s';
    expect(parseHostUri(uri)).toMatchObject({
      driverUri: 'qemu:///system',
      endpoint: {
        transport: 'ssh',
        host: 'host-a',
        user: 'ops',
        port: 2222,
        keyFile: '/k',
        knownHostsFile: '/kh',
        configFile: '/c',
        socket: '/s',
      },
    });
    expect(parseHostUri('qemu+ssh://[fd00::1]/system').endpoint).toMatchObject({
      host: 'fd00::1',
      port: null,
    });
  });

  test('by TLS has the usual port and certificates, unless others are given', () => {
    expect(parseHostUri('qemu+tls://host-a/system').endpoint).toMatchObject({
      transport: 'tls',
      port: 16514,
      files: { keyFile: '/etc/pki/libvirt/private/clientkey.pem' },
    });
    expect(parseHostUri('qemu://host-a:1/system?pkipath=/pki').endpoint).toMatchObject({
      transport: 'tls',
      port: 1,
      files: { caFile: '/pki/cacert.pem', certFile: '/pki/clientcert.pem', keyFile: '/pki/clientkey.pem' },
    });
  });

  test('by TCP and of the test driver is understood', () => {
    expect(parseHostUri('test+tcp://127.0.1.1/default')).toMatchObject({
      driverUri: 'test:///default',
      endpoint: { transport: 'tcp', host: '127.0.1.1', port: 16509 },
    });
  });

  const wrong: [string, string][] = [
    ['not a uri', 'it is no URI'],
    ['xen+ssh://host/system', 'the driver must be qemu'],
    ['qemu+rsh://host/system', 'the transport must be one of'],
    ['qemu+ssh://host/session', 'the path must be /system'],
    ['qemu+ssh:///system', 'the host is missing'],
    ['qemu+ssh://-oProxyCommand=x/system', 'is no host name'],
    ['qemu+ssh://a;b/system', 'is no host name'],
    ['qemu+ssh://-lroot@host/system', 'is no user name'],
    ['qemu+ssh://root:secret@host/system', 'a password cannot be given'],
    ['qemu+ssh://host/system?no_verify=1', 'the parameter "no_verify" is unknown'],
    ['qemu+ssh://host/system?keyfile=rel', 'must be an absolute path'],
    ['qemu+ssh://host/system?known_hosts=/a"b', 'must be an absolute path'],
    ['qemu+ssh://host/system?keyfile=/%25h', 'must be an absolute path'],
    ['qemu+ssh://host/system?keyfile=/a&keyfile=/b', 'given twice'],
    ['qemu+tcp://host/system?socket=/a', 'none is possible here'],
    ['qemu+tls://root@host/system', 'a user has no meaning'],
    ['qemu+unix://host/system', 'has no host'],
    ['qemu:///system#x', 'must not contain'],
  ];
  test.each(wrong)('%s is refused, saying why', (uri, why) => {
    expect(() => parseHostUri(uri)).toThrow(
      expect.objectContaining({ code: 'HOST_URI_INVALID', detail: { uri } }) as Error,
    );
    expect(() => parseHostUri(uri)).toThrow(why);
  });
});
