/**
 * The control socket of a served fleet: what another process may do to the model. One request a line, one
 * answer a line, in the order in which requests are done:
 *
 *   {"id": 1, "do": "addFault", "rule": {...}}     -> {"id": 1, "result": 3}     the rule's number
 *   {"id": 2, "do": "removeFault", "rule": 3}      -> {"id": 2, "result": null}
 *   {"id": 3, "do": "listFaults"}, "clearFaults"
 *   {"id": 4, "do": "act", "act": {...}}           answered when it is done
 *   {"id": 5, "do": "state"}                       what is true of all hosts now
 *
 * What cannot be done is answered with `{"id", "error": {"code", "message"}}`. Rules stay when the client is
 * gone.
 */
import type { Socket } from 'node:net';
import { asHandoverError, HandoverError } from '../../base/errors.ts';
import type { SimFleet } from '../fleet.ts';
import { listen, type Listening } from '../listening.ts';
import { actShape, ruleShape } from './fault-file.ts';
import { fleetState } from './fleet-state.ts';
import { onJsonLines, sendJsonLine } from './json-lines.ts';
import { record, variant, whole } from './shape.ts';

/** Serves it at `path`. */
export function serveControl(fleet: SimFleet, path: string): Promise<Listening> {
  const perform = controlOf(fleet);
  return listen({ path }, (socket) => onJsonLines(socket, (request) => answer(socket, perform, request)));
}

type Perform = (request: unknown) => unknown;

async function answer(socket: Socket, perform: Perform, value: unknown): Promise<void> {
  const { id = null, ...request } = (value ?? {}) as { readonly id?: unknown };
  try {
    sendJsonLine(socket, { id, result: (await perform(request)) ?? null });
  } catch (thrown) {
    const { code, message } = asHandoverError(thrown);
    sendJsonLine(socket, { id, error: { code, message } });
  }
}

function controlOf(fleet: SimFleet): Perform {
  const hosts = new Set(fleet.hosts.keys());
  const nothing = record({});
  const shape = variant('do', {
    addFault: record({ rule: ruleShape(hosts) }),
    removeFault: record({ rule: whole(1) }),
    listFaults: nothing,
    clearFaults: nothing,
    act: record({ act: actShape(hosts) }),
    state: nothing,
  });
  const takeBack = new Map<number, () => void>();
  let lastRule = 0;
  return (value) => {
    const request = shape(value, '');
    switch (request.do) {
      case 'addFault':
        lastRule += 1;
        takeBack.set(lastRule, fleet.faults.add(request.rule));
        return lastRule;
      case 'removeFault':
        if (!takeBack.has(request.rule))
          throw new HandoverError('NOT_FOUND', `no rule of this socket has the number ${request.rule}`);
        takeBack.get(request.rule)?.();
        takeBack.delete(request.rule);
        return null;
      case 'listFaults':
        return fleet.faults.list();
      case 'clearFaults':
        takeBack.clear();
        return fleet.faults.clear();
      case 'act':
        return fleet.act(request.act);
      case 'state':
        return fleetState(fleet);
    }
  };
}
