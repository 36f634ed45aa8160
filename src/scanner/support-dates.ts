import type { Distribution } from '../model/inventory.ts';
import { SUPPORT_DATES, type SupportedReleases } from './support-dates-table.ts';

/**
 * The ISO day after which a release gets no more security fixes that everybody can have: what is paid for does not count.
 * undefined when that is not known, and for systems without releases.
 */
export function endOfLife(distribution: Distribution | undefined): string | undefined {
  if (distribution?.version === undefined || distribution.rolling) return undefined;
  const dates = SUPPORT_DATES.get(productOf(distribution));
  return dates && dates.until.get(releaseOf(distribution.version, dates));
}

/** CentOS Stream has the ID and the version of CentOS, which ended earlier. */
function productOf({ id, prettyName }: Distribution): string {
  return id === 'centos' && prettyName?.includes('Stream') ? 'centos-stream' : id;
}

function releaseOf(version: string, { parts }: SupportedReleases): string {
  return version.split('.', parts).join('.');
}
