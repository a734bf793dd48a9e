/**
 * Light or dark: the system's way until its user chooses, then the choice, remembered in this browser.
 * `public/theme.js` does the same before the first paint, with the same key and class.
 */
import { useSyncExternalStore } from 'react';

const KEY = 'handover.theme';
const DARK_CLASS = 'pf-v6-theme-dark';

/** What can be chosen. */
export type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function chosen(): Theme | null {
  try {
    const text = localStorage.getItem(KEY);
    return text === 'light' || text === 'dark' ? text : null;
  } catch {
    // Storage is switched off: the system decides.
    return null;
  }
}

const current = (): Theme => (document.documentElement.classList.contains(DARK_CLASS) ? 'dark' : 'light');

function show(theme: Theme): void {
  document.documentElement.classList.toggle(DARK_CLASS, theme === 'dark');
  for (const listener of listeners) listener();
}

function follow(): void {
  show(chosen() ?? (system.matches ? 'dark' : 'light'));
}

system.addEventListener('change', follow);
window.addEventListener('storage', ({ key }) => {
  if (key === KEY) follow();
});

/** What is shown. */
export const useTheme = (): Theme =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, current);

/** Shows and remembers it. */
export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is switched off: it holds for this page.
  }
  show(theme);
}
