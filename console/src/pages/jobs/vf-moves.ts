/**
 * Where the guest and each of its VFs are, told from the steps of a job: what the picture draws, and the
 * sentences that say the same. Pure.
 */
import type { JobView } from '../../../../src/api/types/job-view.ts';
import type { StepView, VnicView } from './job-queries.ts';

/** Where a vNIC's traffic goes, in the order of a move. `out`: its VM is down. */
export type Place = 'source' | 'leaving' | 'standby' | 'arriving' | 'target' | 'out';

/** A VF on its host. */
export interface MovingVf {
  readonly address: string;
  readonly pf: string;
  /** What it is to the vNIC now: `in use`, `reserved`. */
  readonly word: string;
  readonly isInUse: boolean;
}

/** One vNIC. */
export interface VnicMove {
  readonly name: string;
  readonly place: Place;
  readonly word: string;
  /** Null: it was out before the move. */
  readonly source: MovingVf | null;
  readonly target: MovingVf;
}

/** On which side the guest runs: it changes at the pivot. */
export const guestSide = ({ pivoted, moments }: JobView): 'source' | 'target' =>
  pivoted || moments.resumedAt !== null ? 'target' : 'source';

/** Every vNIC of the job that has, or gets, a VF. */
export function movesOf(job: JobView): readonly VnicMove[] {
  return job.vnics.map((vnic) => {
    const place = placeOf(job, vnic);
    const isOnSource = place === 'source' || place === 'leaving';
    return {
      name: vnic.name,
      place,
      word: wordOf(job, vnic, place),
      source:
        vnic.sourceVf === null
          ? null
          : { address: vnic.sourceVf, pf: vnic.sourcePf, word: sourceWord(job, place), isInUse: isOnSource },
      target: {
        address: vnic.targetVf,
        pf: vnic.targetPf,
        word: targetWord(job, place),
        isInUse: place === 'target',
      },
    };
  });
}

function placeOf(job: JobView, vnic: VnicView): Place {
  // It was asked for and did not come, so it may come at any time.
  if (vnic.state === 'unplug_pending') return 'leaving';
  const part = (name: string): StepView['state'] | undefined =>
    job.steps.find((step) => step.name === name && step.vnic === vnic.name)?.state;
  const plug = part('plug');
  if (plug === 'started') return job.ended ? 'standby' : 'arriving';
  if (plug === 'finished') return 'target';
  if (plug === 'failed') return 'standby';
  if (plug === 'skipped') return 'out';
  const unplug = part('unplug');
  if (unplug === 'finished') return 'standby';
  if (unplug === 'started') return job.ended ? 'source' : 'leaving';
  return vnic.sourceVf === null ? 'standby' : 'source';
}

function wordOf({ source, target }: JobView, vnic: VnicView, place: Place): string {
  switch (place) {
    case 'source':
      return `In VF on ${source}`;
    case 'leaving':
      return vnic.state === 'unplug_pending' ? 'In VF, may still leave' : 'Moving: leaves its VF';
    case 'standby':
      return 'On standby';
    case 'arriving':
      return 'Moving: gets its VF';
    case 'target':
      return vnic.state === 'degraded' ? 'In VF, no traffic seen' : `In VF on ${target ?? 'the target'}`;
    case 'out':
      return 'Out: the VM is down';
  }
}

function sourceWord(job: JobView, place: Place): string {
  if (place === 'source') return 'in use';
  if (place === 'leaving') return 'asked back';
  const isReleased =
    job.ended || job.steps.some(({ name, state }) => name === 'release' && state === 'finished');
  return isReleased ? 'released' : 'reserved';
}

function targetWord(job: JobView, place: Place): string {
  if (place === 'target') return 'in use';
  if (place === 'arriving') return 'being plugged';
  const isTakenBack = job.steps.some(({ name, state }) => name === 'reserve' && state === 'undone');
  return job.ended || isTakenBack ? 'released' : 'reserved';
}

/** The picture in sentences. */
export function pictureText(job: JobView): readonly string[] {
  const side = guestSide(job) === 'source' ? job.source : (job.target ?? 'the target');
  const guest = job.ended ? `${job.vm} ran on ${side} when the job ended.` : `${job.vm} runs on ${side}.`;
  const vnics = movesOf(job).map(({ name, word, source, target }) => {
    const from = source === null ? 'it had no VF' : `VF ${source.address} on ${job.source} is ${source.word}`;
    const to = `VF ${target.address} on ${job.target ?? 'the target'} is ${target.word}`;
    return `${name}: ${word}; ${from}, ${to}.`;
  });
  return [guest, ...(vnics.length === 0 ? [noVfsText(job)] : vnics)];
}

/** Said when there is no vNIC to draw. */
export const noVfsText = (job: JobView): string => {
  const isChosen = job.steps.some(({ name, state }) => name === 'reserve' && state === 'finished');
  return isChosen || job.ended ? 'No VF moves with this VM.' : 'The VFs of the target are not chosen yet.';
};
