import { condaCataloger } from './conda/cataloger.ts';
import { javaCataloger } from './java/cataloger.ts';
import { npmCataloger } from './npm/cataloger.ts';
import { pythonCataloger } from './python/cataloger.ts';
import type { Cataloger } from './types.ts';

/** Catalogers of what is installed beside the system's own packages. No two want the same file by name. */
export const LANGUAGE_CATALOGERS: readonly Cataloger[] = [npmCataloger, pythonCataloger, condaCataloger, javaCataloger];
