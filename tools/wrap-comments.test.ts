/** Wrapping of comments moves words and changes nothing else. */
import { expect, test } from 'vitest';
import { wrapComments } from './wrap-comments.ts';

const wrap = (lines: string[]): string[] => wrapComments('a.ts', lines.join('\n'), 20).split('\n');

test('words that do not fit move to the next line of the paragraph', () => {
  expect(wrap(['// one two three four five', '// six'])).toEqual(['// one two three', '// four five six']);
});

test('a list item keeps its indentation and does not swallow the next item', () => {
  expect(wrap(['/**', ' * - one two three four', ' * - next', ' */'])).toEqual([
    '/**',
    ' * - one two three',
    ' *   four',
    ' * - next',
    ' */',
  ]);
});

test('a block on one line gets lines of its own', () => {
  expect(wrap(['/** one two three four five */', 'run();'])).toEqual([
    '/**',
    ' * one two three',
    ' * four five',
    ' */',
    'run();',
  ]);
});

test('code, texts that look like comments, tables and columns stay as they are', () => {
  const lines = [
    'const text = `',
    ' * one two three four five',
    '`;',
    '// | a table row that is long |',
    '//   name    what it stands for',
  ];
  expect(wrap(lines)).toEqual(lines);
});
