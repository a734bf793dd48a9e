/**
 * Sets the colours before the first paint: the choice that was remembered, else the system's. A classic script,
 * so that the page waits for it. `src/parts/theme.ts` knows the same key and class.
 */
{
  let chosen = null;
  try {
    chosen = localStorage.getItem('handover.theme');
  } catch {
    // Storage is switched off: the system decides.
  }
  const dark =
    chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark);
}
