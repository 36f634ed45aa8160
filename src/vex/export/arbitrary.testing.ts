import * as fc from 'fast-check';
import { digestOf } from '../../oci/digest.ts';
import { type ExportEntry, type ExportedImage, type ExportState, inOrder } from './state.ts';

export const NOW = 1_800_000_000_000;
const image = (name: string): ExportedImage => ({
  repository: `registry.example.com/front/${name}`,
  digest: digestOf(name),
  purl: `pkg:oci/${name}@${digestOf(name).replace(':', '%3A')}?repository_url=registry.example.com%2Ffront%2F${name}`,
});
const IMAGES = [image('app'), image('web')];

const said = fc.oneof(
  fc.record({
    status: fc.constant('affected' as const),
    action: fc.constantFrom('Upgrade a.', 'Wait.'),
    remedy: fc.constantFrom('upgrade' as const, 'no_fix_planned' as const, 'none_available' as const),
    at: fc.integer({ min: NOW - 9e9, max: NOW }),
  }),
  fc.record({
    status: fc.constant('not_affected' as const),
    justification: fc.constantFrom('vulnerable_code_not_present' as const, 'inline_mitigations_already_exist' as const),
    impact: fc.constantFrom('So says A.', 'So says B.'),
    at: fc.integer({ min: NOW - 9e9, max: NOW }),
  }),
  fc.record({
    status: fc.constantFrom('fixed' as const, 'under_investigation' as const),
    at: fc.integer({ min: NOW - 9e9, max: NOW }),
  }),
);
/** Anything that may be said of a package. */
export const entry: fc.Arbitrary<ExportEntry> = fc.record({
  vulnerability: fc.constantFrom('CVE-2026-0001', 'CVE-2026-0002', 'GHSA-aaaa-bbbb-cccc', 'TEMP-1'),
  aliases: fc.constantFrom([], ['GHSA-dddd-eeee-ffff']),
  image: fc.constantFrom(...IMAGES),
  component: fc.constantFrom(
    { name: 'openssl', version: '3.0', purl: 'pkg:apk/alpine/openssl@3.0' },
    { name: 'zlib', version: '1', purl: 'pkg:apk/alpine/zlib@1' },
  ),
  said,
});
export const stateOf = (entries: readonly ExportEntry[]): ExportState => ({
  author: 'Breakwater project front at registry.example.com',
  namespace: 'https://registry.example.com',
  about: 'project front',
  images: IMAGES,
  entries: inOrder(entries),
  at: NOW,
});
