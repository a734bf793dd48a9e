/** Switches between light and dark. In the masthead and on the sign-in page. */
import { Button } from '@patternfly/react-core';
import MoonIcon from '@patternfly/react-icons/dist/esm/icons/moon-icon';
import SunIcon from '@patternfly/react-icons/dist/esm/icons/sun-icon';
import { chooseTheme, useTheme } from './theme.ts';

/** The button. */
export function ThemeToggle() {
  const other = useTheme() === 'dark' ? 'light' : 'dark';
  return (
    <Button
      variant="plain"
      aria-label={`Use ${other} colours`}
      icon={other === 'dark' ? <MoonIcon /> : <SunIcon />}
      onClick={() => chooseTheme(other)}
    />
  );
}
