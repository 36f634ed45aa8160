import { apkCataloger } from './apk/cataloger.ts';
import { dpkgCataloger } from './dpkg/cataloger.ts';
import { npmCataloger } from './npm/cataloger.ts';
import { systemCataloger } from './system/cataloger.ts';
import type { Cataloger } from './types.ts';

/** Every cataloger; the first one that wants a file gets it. */
export const CATALOGERS: readonly Cataloger[] = [systemCataloger, apkCataloger, dpkgCataloger, npmCataloger];
