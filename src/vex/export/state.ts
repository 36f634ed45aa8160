import { compareText } from '../../oci/canonical.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Said } from './said.ts';

/** One package of one image with one vulnerability. */
export interface ExportEntry {
  readonly vulnerability: string;
  readonly aliases: readonly string[];
  readonly image: ExportedImage;
  readonly component: ExportedComponent;
  readonly said: Said;
}

export interface ExportedImage {
  /** `registry.example.com/front/app`. */
  readonly repository: string;
  readonly digest: Digest;
  readonly purl: string;
}

export interface ExportedComponent {
  readonly name: string;
  readonly version: string;
  /** Without qualifiers: scanners do not agree on them. */
  readonly purl: string;
}

/** Everything a document is made of: equal states make equal bytes. */
export interface ExportState {
  /** Who says it. */
  readonly author: string;
  /** `https://registry.example.com`. */
  readonly namespace: string;
  /** What it is about, in words. */
  readonly about: string;
  readonly images: readonly ExportedImage[];
  /** In one order; see `inOrder`. */
  readonly entries: readonly ExportEntry[];
  /** The newest moment in it, epoch ms. */
  readonly at: number;
}

/** Entries in the one order, and of several about the same thing the most cautious. */
export function inOrder(entries: readonly ExportEntry[]): readonly ExportEntry[] {
  const sorted = entries.toSorted(
    (a, b) =>
      compareText(a.vulnerability, b.vulnerability) ||
      compareText(a.image.purl, b.image.purl) ||
      compareText(a.component.purl, b.component.purl) ||
      CAUTIOUS.indexOf(a.said.status) - CAUTIOUS.indexOf(b.said.status) ||
      compareText(JSON.stringify(a.said), JSON.stringify(b.said)),
  );
  const first = new Map<string, ExportEntry>();
  for (const entry of sorted) {
    const key = [entry.vulnerability, entry.image.purl, entry.component.purl].join(' ');
    if (!first.has(key)) first.set(key, entry);
  }
  return [...first.values()];
}

const CAUTIOUS: readonly Said['status'][] = ['affected', 'under_investigation', 'fixed', 'not_affected'];

/** Entries of one vulnerability of which the same is said, in their order. */
export function groupsOf(entries: readonly ExportEntry[]): readonly (readonly [ExportEntry, ...ExportEntry[]])[] {
  const groups = Map.groupBy(entries, ({ vulnerability, said }) => JSON.stringify([vulnerability, said]));
  return [...groups.values()] as [ExportEntry, ...ExportEntry[]][];
}
