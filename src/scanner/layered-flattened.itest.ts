import { it } from 'vitest';
import { checkLayeredEqualsFlattened } from './layered-flattened.testing.ts';

it('equals the inventory of the flattened file system, on many stacks', () => checkLayeredEqualsFlattened(4000));
