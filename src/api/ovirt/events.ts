/** `/events`: what happened, newest first. `from` asks for ids greater than it, `max` for at most so many. */
import type { HandoverEvent } from '../../model/job.ts';
import { notFound } from './look.ts';
import { type Call, intQuery, many, one, param, type Route } from './route.ts';
import { eventType } from './schema/index.ts';
import type { AnyEntity, Entity } from './wire/fields.ts';
import { badRequest } from './wire/read.ts';

/** How many events are looked through where the request names no smaller number. */
const EVENTS_MAX = 1_000;

/** An event as oVirt shows it. */
export function toEvent(event: HandoverEvent): Entity<typeof eventType> {
  const to = (collection: string, id: string | null) =>
    id === null ? null : { id, href: `${collection}/${id}` };
  return {
    id: String(event.id),
    href: `events/${event.id}`,
    description: event.message,
    code: event.code,
    correlation_id: event.correlationId,
    custom_id: -1,
    flood_rate: 30,
    host: to('hosts', event.hostId),
    index: event.id,
    origin: 'Handover',
    severity: event.severity,
    time: event.time,
    vm: to('vms', event.vmId),
    job: to('jobs', event.jobId),
  };
}

async function list(call: Call) {
  const from = intQuery(call, 'from');
  const max = intQuery(call, 'max');
  if (from !== null && from < 0) throw badRequest(`from=${from} is no event id`);
  // A search looks through more than it shows.
  const limit = max === null || max < 0 || call.query.get('search') ? EVENTS_MAX : Math.min(max, EVENTS_MAX);
  if (limit === 0) return many(eventType, []);
  const events = await call.useCases.listEvents(call.caller, {
    limit,
    ...(from === null ? {} : { after: from }),
  });
  const newestFirst = [...events].sort((a, b) => b.id - a.id);
  const searching = Boolean(call.query.get('search'));
  const vms = searching ? await call.look.vmHeads() : [];
  const hosts = searching ? await call.look.hosts() : [];
  const nameOf = (things: readonly { id: string; name: string }[], field: string) => (each: AnyEntity) => {
    const target = each[field] as { id?: string } | null;
    return things.find((thing) => thing.id === target?.id)?.name;
  };
  const scalar = (field: string) => (each: AnyEntity) => each[field] as string | number | null;
  return many(eventType, newestFirst.map(toEvent), {
    severity: scalar('severity'),
    type: scalar('code'),
    code: scalar('code'),
    time: scalar('time'),
    correlation_id: scalar('correlation_id'),
    message: scalar('description'),
    'vm.name': nameOf(vms, 'vm'),
    event_vm: nameOf(vms, 'vm'),
    'vms.name': nameOf(vms, 'vm'),
    'host.name': nameOf(hosts, 'host'),
    event_host: nameOf(hosts, 'host'),
    'hosts.name': nameOf(hosts, 'host'),
  });
}

async function get(call: Call) {
  const id = param(call, 'eventId');
  if (!/^\d{1,15}$/.test(id)) throw notFound('event', id);
  const [event] = await call.useCases.listEvents(call.caller, { after: Number(id) - 1, limit: EVENTS_MAX });
  const found = event?.id === Number(id) ? event : undefined;
  if (!found) throw notFound('event', id);
  return one(eventType, toEvent(found));
}

/** Routes of `/events`. */
export const eventRoutes: readonly Route[] = [
  { method: 'GET', path: 'events', run: list },
  { method: 'GET', path: 'events/:eventId', run: get },
];
