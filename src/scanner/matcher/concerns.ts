import type { Package } from '../../model/inventory.ts';
import { isProVersion } from './distribution-release.ts';
import type { AdvisoryStatement } from './lookup.ts';

/** True when a statement does not hold for every package of the name it is filed under. */
export function isRestricted(statement: AdvisoryStatement): boolean {
  return statement.binaries !== undefined || statement.arches !== undefined || isModular(statement);
}

/**
 * True when a statement about one of a package's names speaks of this very package: its binary, architecture and module
 * stream. `modular` tells whether any statement under its names, whatever the vulnerability, is about a stream.
 */
export function concerns(pkg: Package, statement: AdvisoryStatement, modular: boolean): boolean {
  const { binaries, arches } = statement;
  if (binaries !== undefined && !binaries.includes(pkg.name)) return false;
  if (arches !== undefined && pkg.arch !== undefined && pkg.arch !== 'noarch' && !arches.includes(pkg.arch))
    return false;
  return pkg.type !== 'rpm' || concernsStream(pkg, statement, modular);
}

/** Whoever runs what Ubuntu Pro gives out is spoken of by its records; the public ones know nothing of those fixes. */
export function preferPro<Claim extends { readonly statement: AdvisoryStatement }>(
  { version }: Package,
  claims: readonly Claim[],
): readonly Claim[] {
  const pro = isProVersion(version) ? claims.filter(({ statement }) => statement.subscription) : [];
  return pro.length > 0 ? pro : claims;
}

/** True when a statement is about packages of a module stream, by what it says or by the release of its fix. */
export function isModular({ module, ranges }: AdvisoryStatement): boolean {
  return module !== undefined || ranges.some(({ fixed }) => fixed !== undefined && hasModuleMark(fixed));
}

/**
 * A module stream is a product of its own: `nodejs:12` and `nodejs:14` get different fixes for one vulnerability. Statements
 * about a stream hold for its packages only. Packages of a stream are judged by the others as well where nothing is said
 * about any stream: rather too much than silence.
 */
function concernsStream(pkg: Package, statement: AdvisoryStatement, modular: boolean): boolean {
  const ofModule = pkg.module !== undefined || hasModuleMark(pkg.version);
  if (!isModular(statement)) return !(ofModule && modular);
  if (!ofModule) return false;
  if (pkg.module === undefined) return true;
  return statement.module === undefined
    ? !isOfOtherStream(pkg, pkg.module, statement)
    : streamOf(statement.module) === streamOf(pkg.module);
}

/** Red Hat's builders mark the releases of modular packages: `1.14-5.module_el8.3.0+404+1198c8f5`. */
function hasModuleMark(version: string): boolean {
  return /\.module[_+]/.test(version);
}

/** `nodejs:12` of `nodejs:12:8030020210304:229f0a1c`. */
function streamOf(module: string): string {
  return module.split(':', 2).join(':');
}

/** A stream named by the version it carries, and a fix that carries another: the statement does not say which it means. */
function isOfOtherStream({ version }: Package, module: string, { ranges }: AdvisoryStatement): boolean {
  const stream = module.split(':', 2)[1] ?? '';
  if (!/^\d+(?:\.\d+)*$/.test(stream) || !carries(version, stream)) return false;
  const fixes = ranges.flatMap(({ fixed }) => fixed ?? []);
  return fixes.length > 0 && fixes.every((fixed) => !carries(fixed, stream));
}

function carries(version: string, stream: string): boolean {
  const upstream = version.replace(/^\d+:/, '');
  return upstream.startsWith(stream) && !/\d/.test(upstream[stream.length] ?? '');
}
