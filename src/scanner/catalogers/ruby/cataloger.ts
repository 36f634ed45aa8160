import type { Cataloger } from '../types.ts';
import { parseGemspec } from './parse-gemspec.ts';

/** What RubyGems has installed, and what came with Ruby. A gemspec elsewhere describes a gem that could be built. */
const INSTALLED = /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/;

/** Gems by the specifications RubyGems keeps of what is installed. */
export const rubyCataloger: Cataloger = {
  name: 'ruby',
  role: 'language',
  largest: 4 * 1024 * 1024,
  wants: (path) => path.endsWith('.gemspec') && INSTALLED.test(path),
  catalog(path, file) {
    const found = parseGemspec(file.bytes().toString('utf8'), path.slice(path.lastIndexOf('/') + 1));
    return found ? { packages: [found] } : { packages: [], problems: ['it tells neither name nor version of a gem'] };
  },
};
