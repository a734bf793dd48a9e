/** User and password, and what the engine said if it refused. Used by the sign-in page and dialog. */
import { ActionGroup, Alert, Button, Form, FormGroup, TextInput } from '@patternfly/react-core';
import { useEffect, useRef, useState } from 'react';
import { messageOf } from '../server/fault.ts';
import { signIn } from './session.ts';

const USER_DEFAULT = 'admin@internal';

/** With `user`, only that one may sign in: the page behind belongs to them. */
export function SignInForm({ user: fixedUser }: { readonly user?: string }) {
  const [user, setUser] = useState(fixedUser ?? USER_DEFAULT);
  const [password, setPassword] = useState('');
  const [refusal, setRefusal] = useState<string | null>(null);
  const [isWaiting, setIsWaiting] = useState(false);
  const passwordField = useRef<HTMLInputElement>(null);
  useEffect(() => passwordField.current?.focus(), []);
  const submit = async () => {
    setIsWaiting(true);
    setRefusal(null);
    try {
      await signIn(user, password);
    } catch (thrown) {
      setRefusal(messageOf(thrown));
      passwordField.current?.select();
    } finally {
      setIsWaiting(false);
    }
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWaiting) void submit();
      }}
    >
      {refusal !== null && (
        <div role="alert">
          <Alert component="p" variant="danger" isInline title="You were not signed in">
            {refusal}
          </Alert>
        </div>
      )}
      <FormGroup label="User" isRequired fieldId="sign-in-user">
        <TextInput
          id="sign-in-user"
          name="username"
          autoComplete="username"
          isRequired
          {...(fixedUser === undefined ? {} : { readOnlyVariant: 'default' })}
          value={user}
          onChange={(_event, value) => setUser(value)}
        />
      </FormGroup>
      <FormGroup label="Password" isRequired fieldId="sign-in-password">
        <TextInput
          id="sign-in-password"
          name="password"
          type="password"
          autoComplete="current-password"
          isRequired
          ref={passwordField}
          value={password}
          onChange={(_event, value) => setPassword(value)}
        />
      </FormGroup>
      <ActionGroup>
        <Button type="submit" variant="primary" isLoading={isWaiting} isBlock>
          Sign in
        </Button>
      </ActionGroup>
    </Form>
  );
}
