/** `handover event list` and `handover alert list`. */
import type { AlertView } from '../api/types/job-view.ts';
import type { Client } from './client.ts';
import { itemsOf, numberOf, type Reference } from './ovirt-json.ts';
import { type OutputFormat, printList, timeOf } from './output.ts';

interface OvirtEvent {
  readonly id: string;
  readonly code: string;
  readonly severity: string;
  /** Wall-clock ms: dates are numbers in oVirt's JSON. */
  readonly time: number;
  readonly description: string;
  readonly vm?: Reference;
  readonly host?: Reference;
  readonly job?: Reference;
  readonly correlation_id?: string;
}

/** Prints the newest events, the newest last, as in a log. */
export async function listEvents(client: Client, format: OutputFormat, max: number): Promise<void> {
  const answer = await client.ovirt<Record<string, unknown>>('GET', `events?max=${max}`);
  const events = itemsOf<OvirtEvent>(answer, 'event')
    .map((event) => ({
      id: Number(event.id),
      code: numberOf(event.code),
      severity: event.severity,
      time: new Date(event.time).toISOString(),
      message: event.description,
      vmId: event.vm?.id ?? null,
      hostId: event.host?.id ?? null,
      jobId: event.job?.id ?? null,
      correlationId: event.correlation_id ?? null,
    }))
    .reverse();
  printList(
    format,
    events,
    ['id', 'time', 'severity', 'code', 'event'],
    (event) => [String(event.id), timeOf(event.time), event.severity, String(event.code), event.message],
    'No events yet.',
  );
}

/** Prints the alerts that stand now. */
export async function listAlerts(client: Client, format: OutputFormat): Promise<void> {
  printList(
    format,
    await client.native<AlertView[]>('GET', 'alerts'),
    ['since', 'alert'],
    (alert) => [timeOf(alert.raisedAt), alert.message],
    'No alerts: all is well.',
  );
}
