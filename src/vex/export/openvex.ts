import { canonicalHash } from '../../oci/canonical.ts';
import { algorithmOf, hexOf } from '../../oci/digest.ts';
import { toRfc3339 } from '../../platform/clock.ts';
import { type ExportEntry, type ExportState, groupsOf } from './state.ts';

/** The state as an OpenVEX document (specification 0.2.0). */
export function openVexDocument(state: ExportState): object {
  const content = {
    author: state.author,
    timestamp: toRfc3339(state.at),
    version: 1,
    tooling: 'Breakwater',
    statements: groupsOf(state.entries).map(statementOf),
  };
  const id = `${state.namespace}/vex/${canonicalHash(content).slice('sha256:'.length)}`;
  return { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': id, ...content };
}

function statementOf(group: readonly [ExportEntry, ...ExportEntry[]]): object {
  const [{ vulnerability, aliases, said }] = group;
  const { status, justification, impact, action, at } = said;
  return {
    vulnerability: { name: vulnerability, ...(aliases.length === 0 ? {} : { aliases }) },
    timestamp: toRfc3339(at),
    products: productsOf(group),
    status,
    ...(status === 'not_affected' ? reasonsOf(justification, impact) : {}),
    ...(status === 'affected' ? { action_statement: action, action_statement_timestamp: toRfc3339(at) } : {}),
  };
}

/** Either a justification or an impact statement, never both; the words go into the notes then. */
function reasonsOf(justification: string | undefined, impact: string | undefined): object {
  if (justification === undefined) return { impact_statement: impact };
  return { ...(impact === undefined ? {} : { status_notes: impact }), justification };
}

function productsOf(group: readonly ExportEntry[]): readonly object[] {
  return [...Map.groupBy(group, ({ image }) => image.purl)].map(([purl, entries]) => {
    const { digest } = (entries[0] as ExportEntry).image;
    return {
      '@id': purl,
      identifiers: { purl },
      hashes: { [algorithmOf(digest) === 'sha256' ? 'sha-256' : 'sha-512']: hexOf(digest) },
      subcomponents: entries.map(({ component }) => ({
        '@id': component.purl,
        identifiers: { purl: component.purl },
      })),
    };
  });
}
