import { canonicalHash } from '../../oci/canonical.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import type { Said } from './said.ts';
import type { ExportEntry, ExportState } from './state.ts';

const STATUS_GROUPS: Readonly<Record<Said['status'], string>> = {
  affected: 'known_affected',
  fixed: 'fixed',
  not_affected: 'known_not_affected',
  under_investigation: 'under_investigation',
};
const REMEDIES = { upgrade: 'vendor_fix', no_fix_planned: 'no_fix_planned', none_available: 'none_available' } as const;

/** The state as a CSAF 2.0 document of the profile VEX (section 4.5). */
export function csafDocument(state: ExportState): object {
  const numbers = numbersOf(state);
  const content = {
    product_tree: productTree(state, numbers),
    vulnerabilities: [...Map.groupBy(state.entries, ({ vulnerability }) => vulnerability).values()].map((entries) =>
      vulnerabilityOf(entries, numbers),
    ),
  };
  const at = toRfc3339(state.at);
  const summary = `What is known of ${state.about}`;
  return {
    document: {
      category: 'csaf_vex',
      csaf_version: '2.0',
      lang: 'en',
      title: summary,
      publisher: { category: 'vendor', name: state.author, namespace: state.namespace },
      tracking: {
        id: `breakwater-vex-${canonicalHash([state.author, at, content]).slice('sha256:'.length, 'sha256:'.length + 32)}`,
        status: 'final',
        version: '1',
        initial_release_date: at,
        current_release_date: at,
        revision_history: [{ date: at, number: '1', summary }],
      },
    },
    ...content,
  };
}

/** Ids of products: short, and the same for the same state. */
interface Numbers {
  image(purl: string): string;
  component(purl: string): string;
  whole(entry: ExportEntry): string;
}

function numbersOf({ images, entries }: ExportState): Numbers {
  const imageNumbers = new Map(images.map(({ purl }, at) => [purl, `image-${at + 1}`]));
  const components = [...new Set(entries.map(({ component }) => component.purl))].sort();
  const componentNumbers = new Map(components.map((purl, at) => [purl, `package-${at + 1}`]));
  const image = (purl: string): string => imageNumbers.get(purl) ?? '';
  const component = (purl: string): string => componentNumbers.get(purl) ?? '';
  return { image, component, whole: (entry) => `${image(entry.image.purl)}:${component(entry.component.purl)}` };
}

function productTree({ images, entries }: ExportState, numbers: Numbers): object {
  const used = new Set(entries.map(({ image }) => image.purl));
  const components = new Map(entries.map(({ component }) => [component.purl, component]));
  const wholes = new Map(entries.map((entry) => [numbers.whole(entry), entry]));
  return {
    full_product_names: [
      ...images
        .filter(({ purl }) => used.has(purl))
        .map(({ purl, repository, digest }) => ({
          product_id: numbers.image(purl),
          name: `${repository}@${digest}`,
          product_identification_helper: { purl },
        })),
      ...[...components.keys()].sort().map((purl) => ({
        product_id: numbers.component(purl),
        name: nameOf(components.get(purl)),
        product_identification_helper: { purl },
      })),
    ],
    ...(wholes.size === 0
      ? {}
      : {
          relationships: [...wholes].map(([id, { image, component }]) => ({
            category: 'default_component_of',
            full_product_name: {
              product_id: id,
              name: `${nameOf(component)} in ${image.repository}@${image.digest}`,
            },
            product_reference: numbers.component(component.purl),
            relates_to_product_reference: numbers.image(image.purl),
          })),
        }),
  };
}

function nameOf(component: ExportEntry['component'] | undefined): string {
  return `${component?.name ?? ''} ${component?.version ?? ''}`.trim();
}

function vulnerabilityOf(entries: readonly ExportEntry[], numbers: Numbers): object {
  const [{ vulnerability, aliases } = { vulnerability: '', aliases: [] }] = entries;
  const byStatus = Map.groupBy(entries, ({ said }) => STATUS_GROUPS[said.status]);
  const ids = (some: readonly ExportEntry[]): readonly string[] => some.map((entry) => numbers.whole(entry));
  const others = [...(isCve(vulnerability) ? [] : [vulnerability]), ...aliases.filter((id) => !isCve(id))];
  const flags = grouped(entries, ({ status, justification }) =>
    status === 'not_affected' ? justification : undefined,
  );
  const impacts = grouped(entries, ({ status, impact }) => (status === 'not_affected' ? impact : undefined));
  const remedies = grouped(entries, ({ status, action, remedy }) =>
    status === 'affected' ? JSON.stringify([REMEDIES[remedy ?? 'none_available'], action ?? '']) : undefined,
  );
  return {
    ...(isCve(vulnerability) ? { cve: vulnerability } : {}),
    ...(others.length === 0 ? {} : { ids: others.map((text) => ({ system_name: systemOf(text), text })) }),
    notes: [
      {
        category: 'summary',
        text: `${vulnerability} in the packages that are listed.`,
      },
    ],
    product_status: Object.fromEntries([...byStatus].map(([group, some]) => [group, ids(some)])),
    ...(flags.length === 0 ? {} : { flags: flags.map(([label, some]) => ({ label, product_ids: ids(some) })) }),
    ...(impacts.length === 0
      ? {}
      : { threats: impacts.map(([details, some]) => ({ category: 'impact', details, product_ids: ids(some) })) }),
    ...(remedies.length === 0
      ? {}
      : {
          remediations: remedies.map(([key, some]) => {
            const [category, details] = JSON.parse(key) as [string, string];
            return { category, details, product_ids: ids(some) };
          }),
        }),
  };
}

function grouped(
  entries: readonly ExportEntry[],
  keyOf: (said: Said) => string | undefined,
): readonly (readonly [string, readonly ExportEntry[]])[] {
  const groups = Map.groupBy(entries, ({ said }) => keyOf(said));
  return [...groups].flatMap(([key, some]) => (key === undefined ? [] : [[key, some] as const]));
}

function isCve(id: string): boolean {
  return /^CVE-\d{4}-\d{4,}$/.test(id);
}

/** Who gives such ids. */
function systemOf(id: string): string {
  return /^[A-Za-z]+/.exec(id)?.[0] ?? 'unknown';
}
