/** What the overview says needs somebody, and of the VFs that are left. Pure. */
import type { OverviewView } from '../../../../src/api/types/fleet-view.ts';
import type { AlertView } from '../../../../src/api/types/job-view.ts';
import { jobOfAlert, nounOf } from '../jobs/job-words.ts';

/** Something an operator should look at. */
export interface Concern {
  readonly key: string;
  readonly severity: 'alert' | 'warning';
  readonly text: string;
  readonly advice: string;
  readonly sinceAt: string | null;
  readonly to: string;
  /** What the link leads to. */
  readonly linkText: string;
}

/** All of them: jobs that stopped, alerts, hosts that are not up. A job that stopped raises an alert, too. */
export function concernsOf({
  alerts,
  jobs,
  troubledHosts,
}: Pick<OverviewView, 'alerts' | 'jobs' | 'troubledHosts'>): readonly Concern[] {
  const stopped = jobs.filter((job) => job.state === 'needs_operator');
  const others = alerts.filter((alert) => !stopped.some((job) => jobOfAlert(alert) === job.id));
  return [
    ...stopped.map(
      (job): Concern => ({
        key: job.id,
        severity: 'alert',
        text:
          `The ${nounOf(job)} of ${job.vm} stopped and needs you: ` +
          `${job.error?.message ?? 'without a reason'}`,
        advice: 'Mend the cause, then retry it; or abandon it.',
        sinceAt: null,
        to: `/jobs/${job.id}`,
        linkText: `${job.kind === 'drill_vm' ? 'Drill' : 'Migration'} of ${job.vm}`,
      }),
    ),
    ...others.map(concernOfAlert),
    ...troubledHosts.map(concernOfHost),
  ];
}

function concernOfAlert(alert: AlertView): Concern {
  const { key, message, vmId, hostId, raisedAt } = alert;
  const jobId = jobOfAlert(alert);
  const [to, linkText, advice] =
    jobId !== null
      ? [
          `/jobs/${jobId}`,
          'The migration',
          'Bring the host back that it waits for; it then goes on by itself.',
        ]
      : vmId !== null
        ? [`/vms/${vmId}`, 'The VM', 'It goes by itself once that is mended. Handover goes on trying.']
        : hostId !== null
          ? [`/hosts/${hostId}`, 'The host', 'It goes by itself once that is mended.']
          : ['/events', 'Events', 'It goes by itself once that is mended.'];
  return { key, severity: 'alert', text: message, advice, sinceAt: raisedAt, to, linkText };
}

function concernOfHost({ id, name, status, statusReason }: OverviewView['troubledHosts'][number]): Concern {
  const because = statusReason === null ? '' : `: ${statusReason}`;
  const [text, advice] = {
    up: [`${name} is up, but not well${because}`, 'VMs run on; what the reason names may not work.'],
    connecting: [
      `${name} is being connected to${because}`,
      'This takes some seconds after it was added or came back.',
    ],
    non_responsive: [
      `${name} does not respond${because}`,
      'See that it runs, that its libvirtd does, and that the engine can reach it.',
    ],
    maintenance: [`${name} is in maintenance`, 'No VM moves to it until it is activated.'],
  }[status] as [string, string];
  const severity = status === 'non_responsive' ? 'alert' : 'warning';
  return { key: id, severity, text, advice, sinceAt: null, to: `/hosts/${id}`, linkText: name };
}

/** The VFs that serve a network, in words; `mark` is what an operator should see at once. */
export function vfWords({ total, free }: OverviewView['networks'][number]['vfs']): {
  readonly text: string;
  readonly mark: string | null;
} {
  if (total === 0) return { text: 'no VF serves it', mark: null };
  const text = `${free} of ${total} free`;
  return { text, mark: free === 0 ? 'None left' : free === 1 ? 'Last one' : null };
}
