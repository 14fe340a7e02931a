/** Stands for the host's log in unit tests. */

export const enabled = (): boolean => false;
export const log = (): void => undefined;
