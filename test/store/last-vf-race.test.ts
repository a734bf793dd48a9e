/**
 * Ten thousand rounds in which jobs of several replicas, and a reconciler's plug, race for the last VF of a
 * host on real PostgreSQL: exactly one wins each. Every way to get a VF takes part, three at a time in turn.
 */
import { expect, test } from 'vitest';
import type { HostClaim, VfHold } from '../../src/app/store-port.ts';
import { isCode } from '../../src/base/errors.ts';
import type { HostId, JobId, VnicId } from '../../src/base/ids.ts';
import type { OpenStore } from '../../src/store/open-store.ts';
import {
  aFoundVnic,
  aHost,
  aReservation,
  aVm,
  migrateParams,
  newId,
  vfAddress,
} from '../support/builders.ts';
import { freshDatabase, openReplica } from '../support/postgres.ts';

const ROUNDS = 10_000;
/** Rounds that run at once, on a database each: what they share would make them lose to each other. */
const TABLES = 2;
const LONG_MS = 3_600_000;
const VF = vfAddress(7);

/** One who wants the VF. */
interface Racer {
  readonly name: string;
  take(): Promise<void>;
  giveBack(): Promise<void>;
}

async function jobRacer(
  store: OpenStore,
  name: string,
  source: HostId,
  target: HostId,
  way: 'place' | 'another',
): Promise<Racer> {
  await store.jobs.add(newId<JobId>(), migrateParams(source), name, null);
  const claimed = await store.jobs.saga.claimNext(name, LONG_MS);
  if (!claimed) throw new Error('no job to claim');
  const id = claimed.claim.jobId as JobId;
  const { epoch } = claimed.claim;
  const wanted = aReservation(id, target, VF);
  return {
    name,
    async take() {
      if (way === 'another') return store.reservations.reserveAnother(id, epoch, wanted);
      const version = await store.reservations.version();
      return store.reservations.reserve(id, epoch, target, [wanted], version);
    },
    giveBack: () => store.reservations.release(id),
  };
}

async function plugRacer(store: OpenStore, claim: HostClaim): Promise<Racer> {
  const vm = aVm({ vnics: [aFoundVnic(1, { actual: 'unplugged', vf: null })] });
  await store.vms.observe({
    hostId: claim.hostId,
    vms: [vm],
    stale: [],
    ageMs: 0,
    look: await store.hosts.nextLook(),
  });
  const vnicId = (await store.vms.get(vm.id))?.vnics[0]?.id as VnicId;
  const hold: VfHold = { vmId: vm.id, vnicId, vf: VF };
  return {
    name: 'plug',
    take: () => store.reservations.hold(claim, hold),
    giveBack: () => store.reservations.endHold(claim, hold, 'unplugged'),
  };
}

async function race(rounds: number): Promise<{ wins: Map<string, number>; notOne: number }> {
  const connection = await freshDatabase();
  const stores = await Promise.all([openReplica(connection), openReplica(connection)]);
  const [one, two] = stores as [OpenStore, OpenStore];
  const [source, target] = [aHost(1), aHost(2)];
  await one.hosts.add(source);
  await one.hosts.add(target);
  const claim = (await two.hostClaims.take('two', LONG_MS)).find((each) => each.hostId === target.id);
  if (!claim) throw new Error('no claim');
  const racers = [
    await jobRacer(one, 'job of one', source.id, target.id, 'place'),
    await jobRacer(two, 'job of two', source.id, target.id, 'place'),
    await jobRacer(one, 'replacement', source.id, target.id, 'another'),
    await plugRacer(two, claim),
  ];
  const wins = new Map<string, number>();
  let notOne = 0;
  for (let round = 0; round < rounds; round += 1) {
    const turned = [0, 1, 2].map((index) => racers[(index + round) % racers.length] as Racer);
    const outcomes = await Promise.allSettled(turned.map((racer) => racer.take()));
    const winners = turned.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    const held = await one.reservations.list({ hostId: target.id });
    if (winners.length !== 1 || held.length !== 1) notOne += 1;
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected' && !isCode(outcome.reason, 'VF_TAKEN', 'CHOICE_OUTDATED'))
        throw outcome.reason;
    }
    for (const winner of winners) {
      wins.set(winner.name, (wins.get(winner.name) ?? 0) + 1);
      await winner.giveBack();
    }
  }
  await Promise.all(stores.map((store) => store.close()));
  return { wins, notOne };
}

test('10 000 races for the last VF have exactly one winner each', async () => {
  const tables = await Promise.all(Array.from({ length: TABLES }, () => race(ROUNDS / TABLES)));
  for (const { wins, notOne } of tables) {
    expect(notOne).toBe(0);
    expect([...wins.values()].reduce((sum, each) => sum + each, 0)).toBe(ROUNDS / TABLES);
    // Each of them can win, or it would have been no race.
    expect([...wins.keys()].sort()).toEqual(['job of one', 'job of two', 'plug', 'replacement']);
  }
});
