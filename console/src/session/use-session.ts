/** The session, for components. */
import { useSyncExternalStore } from 'react';
import { currentSession, onSessionChange, type Session } from './session.ts';

/** Who is signed in; null: nobody. */
export const useSession = (): Session | null => useSyncExternalStore(onSessionChange, currentSession);
