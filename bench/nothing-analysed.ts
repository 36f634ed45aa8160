import { canonicalHash } from '../src/oci/canonical.ts';

/** For verdicts on inventories that stand in the database already: there are no blobs, and nothing is to be analysed. */
export const NOTHING_ANALYSED = {
  blobs: { open: () => Promise.reject(new Error('no blobs here')), localPath: () => '' },
  analyser: {
    version: 'bench',
    analyse: () => Promise.reject(new Error('nothing to analyse')),
    compose: async () => ({ analyser: 'bench', packages: [], gaps: [], complete: true }),
    hashOf: canonicalHash,
  },
};
