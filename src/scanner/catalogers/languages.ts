import { binaryCataloger } from './binaries/cataloger.ts';
import { releaseFileCataloger } from './binaries/release-files.ts';
import { condaCataloger } from './conda/cataloger.ts';
import { dotnetCataloger } from './dotnet/cataloger.ts';
import { javaCataloger } from './java/cataloger.ts';
import { npmCataloger } from './npm/cataloger.ts';
import { phpCataloger } from './php/cataloger.ts';
import { pythonCataloger } from './python/cataloger.ts';
import { rubyCataloger } from './ruby/cataloger.ts';
import { sbomCataloger } from './sbom/cataloger.ts';
import type { Cataloger } from './types.ts';

/** Catalogers of what is installed beside the system's own packages. No two want the same file by name. */
export const LANGUAGE_CATALOGERS: readonly Cataloger[] = [
  npmCataloger,
  pythonCataloger,
  condaCataloger,
  javaCataloger,
  rubyCataloger,
  phpCataloger,
  dotnetCataloger,
  sbomCataloger,
  binaryCataloger,
  releaseFileCataloger,
];
