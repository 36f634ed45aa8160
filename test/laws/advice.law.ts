import { followedAdvice } from '../../src/advice/worlds.testing.ts';
import type { Law } from './law.ts';

export const laws: readonly Law[] = [
  { number: 6, says: 'advice applied unblocks; any part left out does not', property: followedAdvice },
];
