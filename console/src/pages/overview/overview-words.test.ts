/** What the overview says needs somebody. */
import { expect, test } from 'vitest';
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import { aJobView, jobTime } from '../../../../test/support/job-views.ts';
import { concernsOf, vfWords } from './overview-words.ts';

const JOB = '00000000-0000-4000-8000-000000000001';
const VM = '00000000-0000-4000-8000-000000000002';
const HOST = '00000000-0000-4000-8000-000000000003';
const alert = (key: string, vmId: string | null = null, hostId: string | null = null) => ({
  key,
  message: `about ${key}`,
  vmId,
  hostId,
  raisedAt: jobTime(0),
});
type TroubledHost = OverviewView['troubledHosts'][number];
const host = (status: TroubledHost['status'], statusReason: string | null): TroubledHost => ({
  id: `host ${status}`,
  name: `host-${status}`,
  status,
  statusReason,
});

test('a job that stopped is told once, though it stands under an alert', () => {
  const error = { code: 'HOST_UNREACHABLE', message: 'host-b does not answer' };
  const jobs = [aJobView({ id: JOB, state: 'needs_operator', error }), aJobView({ id: 'runs' })];
  const concerns = concernsOf({ jobs, alerts: [alert(`job:${JOB}`)], troubledHosts: [] });
  expect(concerns.map(({ text, to }) => [text, to])).toEqual([
    ['The migration of web-1 stopped and needs you: host-b does not answer', `/jobs/${JOB}`],
  ]);
});

test('an alert leads to what it is about', () => {
  const alerts = [alert(`hold:${JOB}`, VM), alert('vnic:9', VM), alert('other', null, HOST), alert('last')];
  expect(concernsOf({ jobs: [], alerts, troubledHosts: [] }).map(({ to }) => to)).toEqual([
    `/jobs/${JOB}`,
    `/vms/${VM}`,
    `/hosts/${HOST}`,
    '/events',
  ]);
});

test('hosts that are not up are named with the reason', () => {
  const troubledHosts = [host('maintenance', null), host('non_responsive', 'no route')];
  expect(
    concernsOf({ jobs: [], alerts: [], troubledHosts }).map(({ text, severity }) => [text, severity]),
  ).toEqual([
    ['host-maintenance is in maintenance', 'warning'],
    ['host-non_responsive does not respond: no route', 'alert'],
  ]);
});

test('the last VF of a network, and none, have a word of their own', () => {
  expect(vfWords({ total: 8, free: 3 })).toEqual({ text: '3 of 8 free', mark: null });
  expect(vfWords({ total: 8, free: 1 }).mark).toBe('Last one');
  expect(vfWords({ total: 8, free: 0 }).mark).toBe('None left');
  expect(vfWords({ total: 0, free: 0 })).toEqual({ text: 'no VF serves it', mark: null });
});
