/**
 * Fault rules and acts as JSON: in the file of `--faults` and on the control socket. What can never apply (a
 * procedure or host nobody has) is refused as a typing error.
 */
import { type SimAct } from '../acts.ts';
import {
  type BytesRule,
  type CallRule,
  type EventRule,
  type FaultRule,
  MOMENTS,
  type MomentRule,
} from '../faults.ts';
import { PROCEDURE_NAMES } from '../server/callable.ts';
import { unplugShape } from './inventory-file.ts';
import {
  list,
  maybe,
  number,
  oneOf,
  orNull,
  readJson,
  record,
  type Shape,
  text,
  variant,
  whole,
  wrong,
  yesNo,
} from './shape.ts';

/** Names of the fleet that rules and acts may use. */
export type HostNames = ReadonlySet<string>;

const EVENTS = [
  'lifecycle',
  'reboot',
  'deviceRemoved',
  'deviceAdded',
  'deviceRemovalFailed',
  'agentLifecycle',
  'migrationIteration',
  'jobCompleted',
  'nodeDevice',
  'nodeDeviceUpdate',
] as const;

const procedure: Shape<string> = (value, place) => {
  if (typeof value === 'string' && PROCEDURE_NAMES.has(value)) return value;
  throw wrong(place, 'the name of a procedure like domainMigratePerform3Params is wanted', value);
};

/** The shape of an act on a fleet with these hosts. */
export function actShape(hosts: HostNames): Shape<SimAct> {
  const host = oneOf([...hosts]);
  const domain = text();
  const onHost = record({ host });
  const onDomain = record({ host, domain });
  const between: Shape<readonly [string, string]> = (value, place) => {
    const [one, other, ...more] = list(host)(value, place);
    if (one !== undefined && other !== undefined && more.length === 0) return [one, other];
    throw wrong(place, 'two hosts are wanted', value);
  };
  return variant('do', {
    crashHost: onHost,
    bootHost: onHost,
    killLibvirtd: record({ host, restartAfterMs: orNull(number()) }),
    startLibvirtd: onHost,
    setLink: record({ between, up: yesNo }),
    setCarrier: record({ host, pf: text(), up: yesNo }),
    takeMemory: record({ host, memoryKiB: number() }),
    stealVf: record({ host, vf: text() }),
    setGuest: record({
      domain,
      unplug: maybe(unplugShape),
      dirtyMiBps: maybe(number()),
      vfTrouble: maybe(orNull(oneOf(['no_driver', 'deaf']))),
    }),
    rebootGuest: onDomain,
    crashGuest: onDomain,
    killQemu: onDomain,
    destroy: onDomain,
    undefine: onDomain,
    shutdown: onDomain,
    attachDevice: record({ host, domain, xml: text() }),
    migrate: record({ host, domain, to: host }),
  });
}

/** The shape of a rule for a fleet with these hosts. */
export function ruleShape(hosts: HostNames): Shape<FaultRule> {
  const nothing = record({});
  const blows = {
    crashHost: nothing,
    restartLibvirtd: record({ restartAfterMs: orNull(number()) }),
    act: record({ act: actShape(hosts) }),
  };
  const callEffect = variant('type', {
    refuse: record({ libvirtCode: whole(1), message: text() }),
    dropReply: nothing,
    dropRequest: nothing,
    hang: nothing,
    closeConnection: nothing,
    ...blows,
  });
  const occasion = {
    host: maybe(oneOf([...hosts])),
    nth: maybe(whole(1)),
    probability: maybe(number(0, 1)),
    maxCount: maybe(whole(1)),
  };
  const delayMs = maybe(number());
  const ofCall: Shape<CallRule> = record({ ...occasion, procedure, delayMs, effect: maybe(callEffect) });
  const ofEvent: Shape<EventRule> = record({
    ...occasion,
    event: oneOf(EVENTS),
    effect: variant('type', { loseEvent: nothing, repeatEvent: nothing }),
  });
  const ofBytes: Shape<BytesRule> = record({
    ...occasion,
    bytes: oneOf(['received', 'sent']),
    delayMs,
    effect: maybe(variant('type', { hang: nothing, closeConnection: nothing })),
  });
  const ofMoment: Shape<MomentRule> = record({
    ...occasion,
    moment: oneOf(MOMENTS),
    delayMs,
    effect: variant('type', blows),
  });
  const kinds = { procedure: ofCall, event: ofEvent, bytes: ofBytes, moment: ofMoment } as const;
  return (value, place) => {
    const given = typeof value === 'object' && value !== null ? value : {};
    const kind = Object.entries(kinds).find(([key]) => key in given)?.[1];
    if (!kind)
      throw wrong(place, `one of ${Object.keys(kinds).join(', ')} says what the rule is about`, value);
    const rule: FaultRule = kind(value, place);
    if (rule.nth !== undefined && rule.probability !== undefined)
      throw wrong(place, 'either nth or probability is wanted, not both', value);
    return rule;
  };
}

/** Reads a file of rules, a JSON list. Throws `INVALID_INPUT` that names file, place and what is wanted. */
export function readFaults(path: string, content: string, hosts: HostNames): readonly FaultRule[] {
  return readJson(path, content, list(ruleShape(hosts)));
}
