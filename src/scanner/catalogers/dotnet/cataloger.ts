import type { Cataloger } from '../types.ts';
import { parseDeps } from './parse-deps.ts';

/** What .NET applications and shared frameworks bring, by the `.deps.json` files that .NET itself loads them by. */
export const dotnetCataloger: Cataloger = {
  name: 'dotnet',
  role: 'language',
  largest: 32 * 1024 * 1024,
  wants: (path) => path.endsWith('.deps.json'),
  catalog: (path, file) => parseDeps(file.bytes(), path),
};
