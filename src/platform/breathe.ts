import { setImmediate } from 'node:timers/promises';

/** Lets whatever else is waiting have its turn; long work calls it every few milliseconds. */
export function breathe(): Promise<void> {
  return setImmediate();
}
