/** What the engine calls the lab's network and vNIC profile. */
export const PROFILE_OF_LAB = { network: 'data', profile: 'data-vf' } as const;
