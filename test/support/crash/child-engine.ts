/**
 * An engine without API in a process of its own, composed as the daemon does, to be killed and stopped by
 * tests. Told by IPC what to do (`engine-process.ts`): it starts when told, so that several can be kept warm.
 */
import { type Background, startBackground } from '../../../src/app/background.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { explain } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { systemRandom } from '../../../src/base/random.ts';
import { createHypervisors } from '../../../src/hypervisor/libvirt-hypervisor.ts';
import { simulatedShells } from '../../../src/simhost/process/channel-client.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { consoleLog } from '../console-log.ts';
import { hypervisorsWithPoints, storeWithPoints } from './crash-points.ts';
import type { FromEngine, Orders, ToEngine } from './engine-process.ts';

const clock = systemClock;
const log = process.argv.includes('--verbose') ? consoleLog : silentLog;
const say = (message: FromEngine): void => void process.send?.(message);

let goOn = (): void => {};
let stop: () => Promise<void> = () => Promise.resolve();

/** At the point named in the orders: what they say, once. */
function reachOf({ at }: Orders): (point: string) => Promise<void> {
  let isOver = false;
  return async (point) => {
    say({ type: 'reached', point });
    if (isOver || at?.point !== point) return;
    isOver = true;
    if (at.then === 'wait') {
      const told = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      say({ type: 'waits' });
      await told;
    } else process.kill(process.pid, at.then);
  };
}

async function start(orders: Orders): Promise<void> {
  const reach = reachOf(orders);
  const store = await openStore({ connection: orders.connection, clock, log });
  const openShell = simulatedShells(clock, orders.directory);
  const hypervisors = createHypervisors({ clock, log, openShell });
  const parts = {
    store: storeWithPoints(store, reach),
    hypervisors: hypervisorsWithPoints(hypervisors, reach, (act) => say({ type: 'acts', act })),
    clock,
    random: systemRandom,
    log,
  };
  const options = { owner: orders.owner, leaseMs: orders.leaseMs, pollMs: orders.pollMs, jobsMax: 16 };
  const background: Background = startBackground(parts, options);
  stop = async () => {
    await background.stop();
    await hypervisors.close();
    await store.close();
  };
  say({ type: 'started' });
}

process.on('message', (message: ToEngine) => {
  if (message.type === 'go on') goOn();
  else if (message.type === 'start') start(message.orders).catch(fail);
  else stop().then(() => process.exit(0), fail);
});
// Its parent is gone.
process.on('disconnect', () => process.exit(1));
say({ type: 'ready' });

function fail(thrown: unknown): void {
  process.stderr.write(`child engine: ${explain(thrown)}\n`);
  process.exit(1);
}
