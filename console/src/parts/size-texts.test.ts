/** Amounts of memory as people read them. */
import { expect, test } from 'vitest';
import { memoryText } from './size-texts.ts';

test('memory is told in the unit that fits, with a fraction where it matters', () => {
  const texts = [0, 524_288, 1_048_576, 4_000_000, 134_217_728].map(memoryText);
  expect(texts).toEqual(['0 MiB', '512 MiB', '1 GiB', '3.8 GiB', '128 GiB']);
});
