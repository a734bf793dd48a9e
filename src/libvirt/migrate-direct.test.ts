/** The phases of a migration, and what is sent after each kind of failure. */
import { describe, expect, test } from 'vitest';
import { Refusal, ScriptedDaemon, SILENCE } from '../../test/support/scripted-daemon.ts';
import { settle, VirtualClock } from '../../test/support/virtual-clock.ts';
import { silentLog } from '../base/log.ts';
import {
  type DirectPhase,
  type Domain,
  MIGRATE,
  migrateDirect,
  migratePeerToPeer,
  openClient,
  param,
  paramText,
  procedures,
} from './index.ts';

const DOMAIN: Domain = { name: 'web-1', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 };
const ARRIVED: Domain = { ...DOMAIN, id: 7 };
const cookie = (text: string) => Buffer.from(text);
const refuse = (code: number, text: string) => () => {
  throw new Refusal(code, text);
};

/** Two daemons that would let a migration succeed, and one begun between them. */
async function scene(script: (source: ScriptedDaemon, target: ScriptedDaemon) => void = () => {}) {
  const clock = new VirtualClock();
  const source = new ScriptedDaemon()
    .on(procedures.domainGetState, () => ({ state: 1, reason: 1 }))
    .on(procedures.domainMigrateBegin3Params, () => ({ cookie: cookie('begin'), xml: '<domain/>' }))
    .on(procedures.domainMigratePerform3Params, () => ({ cookie: cookie('perform') }))
    .on(procedures.domainMigrateConfirm3Params, () => ({}));
  const target = new ScriptedDaemon()
    .on(procedures.domainMigratePrepare3Params, () => ({
      cookie: cookie('prepare'),
      uri: 'tcp:host-b:49152',
    }))
    .on(procedures.domainMigrateFinish3Params, () => ({ dom: ARRIVED, cookie: cookie('finish') }));
  script(source, target);
  const options = { clock, log: silentLog };
  const clients = {
    source: await openClient(source.clientEnd, 'qemu:///system', options),
    target: await openClient(target.clientEnd, 'qemu:///system', options),
  };
  const phases: DirectPhase[] = [];
  const outcome = migrateDirect({
    ...clients,
    domain: DOMAIN,
    flags: MIGRATE.live | MIGRATE.autoConverge,
    params: [param.ullong('bandwidth', 10n)],
    performTimeoutMs: 60_000,
    phaseTimeoutMs: 10_000,
    onPhase: (phase) => phases.push(phase),
  }).then(
    (domain) => ({ domain, error: null }),
    (error: unknown) => ({ domain: null, error }),
  );
  const callsOf = (daemon: ScriptedDaemon) =>
    daemon.requests
      .filter((one) => one.name.includes('migrate'))
      .map((one) => ({ ...one, name: short(one.name) }));
  return { clock, source, target, clients, phases, outcome, callsOf };
}

const short = (name: string) => name.replace(/^domain_migrate_|3_params$/g, '');

interface PhaseArgs {
  readonly flags: number;
  readonly cancelled?: boolean;
  readonly cookie?: Buffer;
  readonly params: Parameters<typeof paramText>[0];
}

describe('a migration driven by the client', () => {
  test('goes through five phases and hands cookies, XML and URI on', async () => {
    const { outcome, source, target, phases, callsOf } = await scene();
    expect(await outcome).toEqual({ domain: ARRIVED, error: null });
    expect(phases).toEqual(['begin', 'prepare', 'perform', 'finish', 'confirm']);
    const [begin, perform, confirm] = callsOf(source).map((one) => one.args as PhaseArgs);
    const [prepare, finish] = callsOf(target).map((one) => one.args as PhaseArgs);
    const sourceFlags = MIGRATE.live | MIGRATE.autoConverge | MIGRATE.changeProtection;
    expect([begin, perform, confirm].map((one) => one?.flags)).toEqual([
      sourceFlags,
      sourceFlags,
      sourceFlags,
    ]);
    expect([prepare, finish].map((one) => one?.flags)).toEqual([MIGRATE.live, MIGRATE.live]);
    expect([prepare, perform, finish, confirm].map((one) => String(one?.cookie))).toEqual([
      'begin',
      'prepare',
      'perform',
      'finish',
    ]);
    expect(paramText(prepare?.params ?? [], 'destination_xml')).toBe('<domain/>');
    expect(paramText(perform?.params ?? [], 'migrate_uri')).toBe('tcp:host-b:49152');
    expect(paramText(finish?.params ?? [], 'destination_name')).toBe('web-1');
    expect([finish?.cancelled, confirm?.cancelled]).toEqual([false, false]);
  });

  test('of a paused guest keeps it paused', async () => {
    const { outcome, target, callsOf } = await scene((source) => {
      source.on(procedures.domainGetState, () => ({ state: 3, reason: 1 }));
    });
    await outcome;
    expect((callsOf(target)[0]?.args as PhaseArgs).flags).toBe(MIGRATE.live | MIGRATE.paused);
  });

  test('refused at begin touches the target not at all', async () => {
    const { outcome, target, callsOf } = await scene((source) => {
      source.on(procedures.domainMigrateBegin3Params, refuse(55, 'cannot migrate domain'));
    });
    expect((await outcome).error).toMatchObject({ detail: { libvirtCode: 55, phase: 'begin' } });
    expect(callsOf(target)).toEqual([]);
  });

  test('refused at prepare ends the job that begin opened on the source', async () => {
    const { outcome, source, phases, callsOf } = await scene((_source, target) => {
      target.on(procedures.domainMigratePrepare3Params, refuse(91, 'cpu'));
    });
    expect((await outcome).error).toMatchObject({ detail: { libvirtCode: 91, phase: 'prepare' } });
    expect(phases).toEqual(['begin', 'prepare', 'confirm']);
    expect(callsOf(source).at(-1)).toMatchObject({ name: 'confirm', args: { cancelled: true } });
  });

  test('refused at perform cancels the target only: the source has cancelled by itself', async () => {
    const { outcome, target, phases, callsOf } = await scene((source, target) => {
      source.on(procedures.domainMigratePerform3Params, refuse(78, 'aborted'));
      target.on(procedures.domainMigrateFinish3Params, refuse(93, 'finish ok'));
    });
    expect((await outcome).error).toMatchObject({ detail: { libvirtCode: 78, phase: 'perform' } });
    expect(phases).toEqual(['begin', 'prepare', 'perform', 'finish']);
    expect(callsOf(target).at(-1)).toMatchObject({ name: 'finish', args: { cancelled: true } });
  });

  test('refused at finish resumes the source', async () => {
    const { outcome, source, callsOf } = await scene((_source, target) => {
      target.on(procedures.domainMigrateFinish3Params, refuse(9, 'guest died'));
    });
    expect((await outcome).error).toMatchObject({ detail: { libvirtCode: 9, phase: 'finish' } });
    expect(callsOf(source).at(-1)).toMatchObject({ name: 'confirm', args: { cancelled: true } });
  });

  test('with an unknown outcome of perform sends nothing more', async () => {
    const { outcome, clock, phases, target, callsOf } = await scene((source) => {
      source.on(procedures.domainMigratePerform3Params, () => SILENCE);
    });
    await settle();
    await clock.advance(60_000);
    expect((await outcome).error).toMatchObject({ code: 'CALL_TIMED_OUT', detail: { phase: 'perform' } });
    expect(phases).toEqual(['begin', 'prepare', 'perform']);
    expect(callsOf(target).map((one) => one.name)).toEqual(['prepare']);
  });

  test('with an unknown outcome of finish never resumes the source', async () => {
    const { outcome, source, phases, callsOf } = await scene((_source, target) => {
      target.on(procedures.domainMigrateFinish3Params, () => {
        target.close();
        return SILENCE;
      });
    });
    expect((await outcome).error).toMatchObject({ code: 'REPLY_LOST', detail: { phase: 'finish' } });
    expect(phases.at(-1)).toBe('finish');
    expect(callsOf(source).map((one) => one.name)).toEqual(['begin', 'perform']);
  });

  test('whose target was lost before finish could be sent does not resume the source either', async () => {
    const { outcome, source, phases } = await scene((source, target) => {
      source.on(procedures.domainMigratePerform3Params, (_args, request) => {
        target.close();
        void settle().then(() => {
          source.reply(procedures.domainMigratePerform3Params, request.serial, { cookie: cookie('perform') });
        });
        return SILENCE;
      });
    });
    expect((await outcome).error).toMatchObject({ code: 'HOST_UNREACHABLE', detail: { phase: 'finish' } });
    expect(phases.at(-1)).toBe('finish');
    expect(source.calls(procedures.domainMigrateConfirm3Params)).toEqual([]);
  });
});

describe('a peer-to-peer migration', () => {
  test('is one call with the peer, the flag and no cookie', async () => {
    const { clients, source, outcome } = await scene();
    await outcome;
    await migratePeerToPeer({
      source: clients.source,
      domain: DOMAIN,
      peerUri: 'qemu+tls://host-b/system',
      flags: MIGRATE.live,
      params: [],
      timeoutMs: 1000,
    });
    expect(source.calls(procedures.domainMigratePerform3Params).at(-1)?.args).toMatchObject({
      destinationUri: 'qemu+tls://host-b/system',
      flags: MIGRATE.live | MIGRATE.peerToPeer,
      cookie: Buffer.alloc(0),
    });
  });

  test.each(['qemu:///system', 'qemu+ssh://localhost/system', 'nonsense'])(
    'to %s is refused',
    async (peerUri) => {
      const { clients, outcome } = await scene();
      await outcome;
      const attempt = migratePeerToPeer({
        source: clients.source,
        domain: DOMAIN,
        peerUri,
        flags: 1,
        params: [],
        timeoutMs: 1000,
      });
      await expect(attempt).rejects.toMatchObject({ code: 'HOST_URI_INVALID' });
    },
  );
});
