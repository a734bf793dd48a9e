/** A process that plays episodes one after the other, as `campaign.ts` asks for them. */
import type { Order, Report } from './campaign.ts';
import { playEpisode } from './play-episode.ts';

// An episode's errors are answers, told by their message: the stacks of thousands are only time.
Error.stackTraceLimit = 0;

process.on('message', (order: Order) => {
  const before = process.cpuUsage();
  void playEpisode(order).then(({ trace: _, ...result }) => {
    const { user, system } = process.cpuUsage(before);
    const report: Report = { ...result, number: order.number, cpuMs: (user + system) / 1000 };
    process.send?.(report);
  });
});
