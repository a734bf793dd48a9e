/** Which scenarios a name stands for. Run by the unit tier; touches nothing. */
import { expect, test } from 'vitest';
import { findScenarios } from './runner.ts';

test('a long scenario is run when it is named, and is no part of all', async () => {
  const all = (await findScenarios(['all'])).map(({ name }) => name);
  expect(all).toContain('networkmanager');
  expect(all).not.toContain('networkmanager-five');
  const named = await findScenarios(['networkmanager-five']);
  expect(named.map(({ name, isLong }) => [name, isLong])).toEqual([['networkmanager-five', true]]);
});

test('a scenario that does not exist is refused', async () => {
  await expect(findScenarios(['migrate', 'migrat'])).rejects.toThrow('no scenario "migrat"');
});
