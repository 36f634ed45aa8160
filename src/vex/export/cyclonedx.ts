import { canonicalHash } from '../../oci/canonical.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import type { Justification } from '../../policy/exceptions.ts';
import type { Said } from './said.ts';
import { type ExportEntry, type ExportState, groupsOf } from './state.ts';

const STATES: Readonly<Record<Said['status'], string>> = {
  affected: 'exploitable',
  fixed: 'resolved',
  not_affected: 'not_affected',
  under_investigation: 'in_triage',
};
const JUSTIFICATIONS: Readonly<Record<Justification, string>> = {
  component_not_present: 'code_not_present',
  vulnerable_code_not_present: 'code_not_present',
  vulnerable_code_not_in_execute_path: 'code_not_reachable',
  vulnerable_code_cannot_be_controlled_by_adversary: 'requires_environment',
  inline_mitigations_already_exist: 'protected_by_mitigating_control',
};
const RESPONSES = { upgrade: 'update', no_fix_planned: 'will_not_fix', none_available: 'can_not_fix' } as const;

/** The state as a CycloneDX 1.6 document that holds its components and what is said of them. */
export function cycloneDxDocument(state: ExportState): object {
  const containers = state.images.map((image) => {
    const own = state.entries.filter((entry) => entry.image.purl === image.purl);
    const components = new Map(own.map(({ component }) => [component.purl, component]));
    return {
      type: 'container',
      'bom-ref': image.purl,
      name: image.repository,
      version: image.digest,
      purl: image.purl,
      ...(components.size === 0
        ? {}
        : {
            components: [...components.keys()].sort().map((purl) => ({
              type: 'library',
              'bom-ref': referenceOf({ image, purl }),
              name: components.get(purl)?.name,
              version: components.get(purl)?.version,
              purl,
            })),
          }),
    };
  });
  const vulnerabilities = groupsOf(state.entries).map(vulnerabilityOf);
  const [only] = containers;
  const content = {
    metadata: {
      timestamp: toRfc3339(state.at),
      tools: { components: [{ type: 'application', name: 'breakwater' }] },
      authors: [{ name: state.author }],
      // A document about one image is about it; one about several has them as parts.
      ...(containers.length === 1 && only
        ? { component: only }
        : { component: { type: 'application', 'bom-ref': 'root', name: state.about } }),
    },
    ...(containers.length === 1 ? {} : { components: containers }),
    vulnerabilities,
  };
  const hash = canonicalHash(content).slice('sha256:'.length);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(hash)}`,
    version: 1,
    ...content,
  };
}

function vulnerabilityOf(group: readonly [ExportEntry, ...ExportEntry[]]): object {
  const [{ vulnerability, aliases, said }] = group;
  const { status, justification, impact, action, remedy, at } = said;
  const detail = status === 'affected' ? action : impact;
  return {
    id: vulnerability,
    ...(aliases.length === 0 ? {} : { references: aliases.map((id) => ({ id, source: { name: sourceOf(id) } })) }),
    analysis: {
      state: STATES[status],
      ...(status === 'not_affected' && justification !== undefined
        ? { justification: JUSTIFICATIONS[justification] }
        : {}),
      ...(status === 'affected' && remedy !== undefined ? { response: [RESPONSES[remedy]] } : {}),
      ...(detail === undefined ? {} : { detail }),
      firstIssued: toRfc3339(at),
      lastUpdated: toRfc3339(at),
    },
    affects: group.map(({ image, component }) => ({ ref: referenceOf({ image, purl: component.purl }) })),
  };
}

function referenceOf({ image, purl }: { readonly image: ExportEntry['image']; readonly purl: string }): string {
  return `${image.digest}/${purl}`;
}

function sourceOf(id: string): string {
  return /^[A-Za-z]+/.exec(id)?.[0] ?? 'unknown';
}

/** A UUID made of a hash (version 8, RFC 9562). */
function uuidOf(hex: string): string {
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
