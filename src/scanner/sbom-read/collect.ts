import { type Distribution, SYSTEM_PACKAGE_TYPES } from '../../model/inventory.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import type { StatedPackage } from '../model.ts';
import { type PurlParts, parsePurl } from '../parse-purl.ts';
import { distributionOfHint, hintOfQualifier, type SystemHint } from './distribution.ts';
import { packageOfPurl } from './package-of-purl.ts';
import { sourceOfUpstream } from './source-package.ts';
import type { Sbom, SbomItem, SbomPackage } from './types.ts';

const MOST_PACKAGES = 500_000;
const MOST_PROBLEMS = 50;
const MOST_KINDS = 20;
const LONGEST_NAME = 1024;
const LONGEST_LICENCE = 200;
const MOST_SHARED = 10_000;

/** Puts the things of a document together to what it says, whatever its format. */
export interface SbomCollector {
  add(item: SbomItem): void;
  problem(text: string): void;
  result(format: Sbom['format']): Sbom;
}

export function createSbomCollector(): SbomCollector {
  const packages: SbomPackage[] = [];
  const problems: string[] = [];
  const foreign = new Map<string, number>();
  const systems = new Map<string, { readonly hint: SystemHint; count: number }>();
  let subject: Sbom['subject'];
  let system: SystemHint | undefined;
  let unnamed = 0;
  let broken = 0;
  let left = 0;

  const kept = new Map<string, string>();
  /** One copy of a text that thousands of packages share: each package brings its own. */
  function shared<Text extends string>(text: Text): Text {
    const known = kept.get(text) as Text | undefined;
    if (known === undefined && kept.size < MOST_SHARED) kept.set(text, text);
    return known ?? text;
  }

  function addPackage(item: SbomItem, parts: PurlParts): void {
    const stated = packageOfPurl(parts, item.version);
    if (!stated) {
      if (item.subject) return;
      const key = foreign.has(parts.type) || foreign.size < MOST_KINDS ? parts.type : 'others';
      foreign.set(key, (foreign.get(key) ?? 0) + 1);
      return;
    }
    if (stated.name.length > LONGEST_NAME || stated.version.length > LONGEST_NAME) broken += 1;
    else if (packages.length >= MOST_PACKAGES) left += 1;
    else packages.push({ ...completed(stated, item, parts, shared), ...placeOf(item, shared) });
    if (SYSTEM_PACKAGE_TYPES.has(stated.type)) vote(parts);
  }

  function vote({ qualifiers, namespace }: PurlParts): void {
    const distro = qualifiers.get('distro');
    const hint = distro === undefined ? undefined : hintOfQualifier(distro, namespace);
    if (!hint) return;
    const key = `${hint.name} ${hint.version ?? ''}`;
    const known = systems.get(key);
    if (known) known.count += 1;
    else if (systems.size < 1000) systems.set(key, { hint, count: 1 });
  }

  function distribution(): Distribution | undefined {
    const voted = [...systems.values()].sort((a, b) => b.count - a.count);
    if (system === undefined && voted.length > 1)
      problems.push(`its packages are of ${voted.length} systems: all are taken for ${nameOf(voted[0]?.hint)}`);
    const hint = system ?? voted[0]?.hint;
    return hint && distributionOfHint(hint);
  }

  return {
    add(item) {
      const { name, version, description } = item;
      if (item.subject && name !== undefined && !subject) subject = { name, ...(version ? { version } : {}) };
      if (item.kind === 'system') {
        if (name !== undefined) system ??= { name, version, prettyName: description };
        return;
      }
      if (item.purl === undefined) {
        if (item.kind === 'package' && !item.subject) unnamed += 1;
        return;
      }
      const parts = parsePurl(item.purl);
      if (parts) addPackage(item, parts);
      else broken += 1;
    },
    problem(text) {
      if (problems.length < MOST_PROBLEMS && !problems.includes(text)) problems.push(text);
    },
    result(format) {
      const found = distribution();
      const kinds = [...foreign].map(([type, count]) => `${count} ${type}`).join(', ');
      return {
        format,
        ...(subject ? { subject } : {}),
        ...(found ? { distribution: found } : {}),
        packages,
        problems: [
          ...problems,
          ...(unnamed > 0 ? [`${unnamed} packages without a package URL were left out`] : []),
          ...(broken > 0 ? [`${broken} package URLs could not be understood`] : []),
          ...(foreign.size > 0 ? [`packages of kinds that nobody advises on were left out: ${kinds}`] : []),
          ...(left > 0 ? [`${left} packages beyond the first ${MOST_PACKAGES} were left out`] : []),
        ],
      };
    },
  };
}

type Share = <Text extends string>(text: Text) => Text;

function completed(stated: StatedPackage, item: SbomItem, { qualifiers }: PurlParts, shared: Share): StatedPackage {
  const { licence, module, thirdParty } = item;
  const upstream = qualifiers.get('upstream');
  const source =
    item.source ?? (upstream === undefined ? undefined : sourceOfUpstream(stated.type, upstream, stated.version));
  const other = source && (source.name !== stated.name || source.version !== stated.version);
  return {
    ...stated,
    ...(other && SYSTEM_PACKAGE_TYPES.has(stated.type) ? { source } : {}),
    ...(licence === undefined ? {} : { licence: shared(licence.slice(0, LONGEST_LICENCE).toWellFormed()) }),
    ...(module === undefined ? {} : { module }),
    ...(thirdParty ? { thirdParty } : {}),
  };
}

function placeOf({ path, layer }: SbomItem, shared: Share): { readonly path?: string; readonly layer?: Digest } {
  const digest = layer === undefined ? undefined : digestOf(layer);
  return { ...(path === undefined ? {} : { path }), ...(digest === undefined ? {} : { layer: shared(digest) }) };
}

function digestOf(text: string): Digest | undefined {
  try {
    return parseDigest(text);
  } catch {
    return undefined;
  }
}

function nameOf(hint: SystemHint | undefined): string {
  return [hint?.name, hint?.version].filter(Boolean).join(' ');
}
