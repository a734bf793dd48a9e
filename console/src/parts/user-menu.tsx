/** Who is signed in, and the way out. */
import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import UserIcon from '@patternfly/react-icons/dist/esm/icons/user-icon';
import { useState } from 'react';
import { signOut } from '../session/session.ts';
import { useSession } from '../session/use-session.ts';

/** The menu. */
export function UserMenu() {
  const session = useSession();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setIsOpen}
      onSelect={() => setIsOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(toggleRef) => (
        <MenuToggle
          ref={toggleRef}
          variant="plainText"
          isExpanded={isOpen}
          icon={<UserIcon />}
          aria-label={`Signed in as ${session?.user ?? ''}`}
          onClick={() => setIsOpen(!isOpen)}
        >
          <span className="user-name">{session?.user}</span>
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem onClick={() => void signOut()}>Sign out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
