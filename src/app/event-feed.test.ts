/** Who follows the events gets each of them once, in order, from where it asked for. */
import { expect, test } from 'vitest';
import { HandoverError } from '../base/errors.ts';
import { silentLog } from '../base/log.ts';
import { createMemoryStore } from '../../test/support/memory-store/memory-store.ts';
import { VirtualClock } from '../../test/support/virtual-clock.ts';
import { EventFeed } from './event-feed.ts';

function aFeed() {
  const clock = new VirtualClock();
  const { events } = createMemoryStore(clock);
  let away = false;
  let asked = 0;
  const reading = {
    list: async (filter: Parameters<typeof events.list>[0]) => {
      asked += 1;
      if (away) throw new HandoverError('STORE_UNAVAILABLE', 'the database is away');
      return events.list(filter);
    },
  };
  const feed = new EventFeed(reading, clock, silentLog);
  const happen = async (...messages: string[]) => {
    for (const message of messages) await events.add({ name: 'HOST_UP', severity: 'normal', message });
  };
  const follow = async (after: number | null) => {
    const heard: string[] = [];
    const stop = await feed.follow(after, (all) => void heard.push(...all.map((each) => each.message)));
    return { heard, stop };
  };
  return {
    feed,
    clock,
    happen,
    follow,
    asked: () => asked,
    setAway: (value: boolean): void => {
      away = value;
    },
  };
}

test('what happens from now on is told, once and in order', async () => {
  const { clock, happen, follow } = aFeed();
  await happen('before');
  const { heard } = await follow(null);
  await clock.advance(1_000);
  await happen('a', 'b');
  await clock.advance(1_000);
  await happen('c');
  await clock.advance(1_000);
  expect(heard).toEqual(['a', 'b', 'c']);
});

test('who names the last one it knows is told what it missed, however much', async () => {
  const { clock, happen, follow } = aFeed();
  const all = Array.from({ length: 1_234 }, (_, number) => `event ${number}`);
  await happen(...all);
  const { heard } = await follow(1);
  await clock.advance(1_000);
  await happen('news');
  await clock.advance(1_000);
  expect(heard).toEqual([...all.slice(1), 'news']);
});

test('who comes later hears the same as the others, and nobody hears anything twice', async () => {
  const { clock, happen, follow } = aFeed();
  const first = await follow(0);
  await happen('a');
  await clock.advance(1_000);
  await happen('b');
  const second = await follow(0);
  await clock.advance(1_000);
  await happen('c');
  await clock.advance(1_000);
  expect(first.heard).toEqual(['a', 'b', 'c']);
  expect(second.heard).toEqual(['a', 'b', 'c']);
});

test('any number of listeners cost one question at a time, and none cost nothing', async () => {
  const { feed, clock, happen, follow, asked } = aFeed();
  const all = await Promise.all(Array.from({ length: 100 }, () => follow(0)));
  await clock.advance(1_000);
  const before = asked();
  await happen('a');
  await clock.advance(10_000);
  expect(asked() - before).toBeLessThanOrEqual(51);
  expect(all.every(({ heard }) => heard.join() === 'a')).toBe(true);
  for (const { stop } of all) stop();
  await clock.advance(1_000);
  const then = asked();
  await clock.advance(10_000);
  expect(asked()).toBe(then);
  expect(feed.listeners).toBe(0);
});

test('nothing is missed while the database is away', async () => {
  const { clock, happen, follow, setAway } = aFeed();
  const { heard } = await follow(0);
  await clock.advance(1_000);
  setAway(true);
  await happen('a');
  await clock.advance(10_000);
  expect(heard).toEqual([]);
  setAway(false);
  await clock.advance(3_000);
  expect(heard).toEqual(['a']);
});

test('who remembers an id that was never given hears what is new, and disturbs nobody', async () => {
  const { clock, happen, follow, asked } = aFeed();
  await happen('before');
  const wrong = await follow(999_999_999_999);
  const other = await follow(0);
  await clock.advance(1_000);
  const before = asked();
  await happen('a');
  await clock.advance(2_000);
  expect(asked() - before).toBeLessThan(14);
  expect(wrong.heard).toEqual(['a']);
  expect(other.heard).toEqual(['before', 'a']);
});
