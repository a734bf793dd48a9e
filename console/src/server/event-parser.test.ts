/** Events out of a stream that is cut anywhere. */
import { expect, test } from 'vitest';
import { eventParser } from './event-parser.ts';

const STREAM =
  'retry: 2000\n\nid: 7\nevent: event\ndata: {"id":7}\n\n: still here\n\nid: 8\r\ndata: a\r\ndata: b\r\n\r\n';

test('events are the same however the stream is cut', () => {
  const whole = [
    { id: '7', data: '{"id":7}' },
    { id: '8', data: 'a\nb' },
  ];
  for (const size of [1, 2, 5, 13, STREAM.length]) {
    const parse = eventParser();
    const found = [];
    for (let at = 0; at < STREAM.length; at += size) found.push(...parse(STREAM.slice(at, at + size)));
    expect(found).toEqual(whole);
  }
});

test('an event that is not complete is not told', () => {
  expect(eventParser()('id: 1\ndata: half\n')).toEqual([]);
});
