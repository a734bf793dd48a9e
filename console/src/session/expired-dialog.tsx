/**
 * Asks again for the password when the session has ended, over a page that stays as it is. After that all
 * that was refused meanwhile is asked again by `app.tsx`.
 */
import { Button, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { Dialog } from '../parts/dialog.tsx';
import { signOut } from './session.ts';
import { SignInForm } from './sign-in-form.tsx';

/** `user` is whose session it was. */
export function ExpiredDialog({ user }: { readonly user: string }) {
  return (
    <Dialog layer="session" aria-labelledby="expired-title" aria-describedby="expired-body">
      <ModalHeader
        title="Your session has ended"
        labelId="expired-title"
        description="Sign in again to go on. The page behind stays as it is, with all you typed."
      />
      <ModalBody id="expired-body">
        <SignInForm user={user} />
      </ModalBody>
      <ModalFooter>
        <Button variant="link" onClick={() => void signOut()}>
          Sign out and leave the page
        </Button>
      </ModalFooter>
    </Dialog>
  );
}
