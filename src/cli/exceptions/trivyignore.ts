import { toRfc3339 } from '../../platform/clock.ts';
import { isRecord } from '../../platform/json-object.ts';
import { parsePurl } from '../../scanner/parse-purl.ts';
import { packageOfPurl } from '../../scanner/sbom-read/package-of-purl.ts';
import { CliError } from '../exit.ts';
import { parseIgnoreLines } from '../scan/ignore-file.ts';
import { endIn, type FileEntries, type FileEntry } from './wanted.ts';

/** Sections of a `.trivyignore.yaml` that are about something else than vulnerabilities. */
const OTHER_SECTIONS = ['misconfigurations', 'secrets', 'licenses'] as const;

/** Reads the lines of a `.trivyignore`: an id, perhaps `exp:2027-01-31`, perhaps a comment. Throws `CliError('usage')`. */
export function readTrivyignore(text: string, path: string): FileEntries {
  const left: string[] = [];
  const entries = parseIgnoreLines(text, path).flatMap((one): FileEntry[] => {
    // Checks of configurations and licences are in the same list.
    if (!isVulnerability(one.id)) {
      left.push(`line ${one.line}: ${one.id} is no vulnerability`);
      return [];
    }
    return [
      {
        vulnerability: one.id,
        ...(one.package === undefined ? {} : { package: one.package }),
        ...(one.until === undefined ? {} : { until: toRfc3339(one.until) }),
        ...(one.reason === undefined ? {} : { reason: one.reason }),
      },
    ];
  });
  return { entries, left };
}

/** Reads a parsed `.trivyignore.yaml`. Entries for files alone cannot be exceptions, and are left. Throws `CliError('usage')`. */
export function readTrivyignoreYaml(value: unknown, path: string): FileEntries {
  if (!isRecord(value)) throw new CliError('usage', `${path}: this is no .trivyignore.yaml`);
  const list = value['vulnerabilities'] ?? [];
  if (!Array.isArray(list)) throw new CliError('usage', `${path}: "vulnerabilities" is no list`);
  const left = OTHER_SECTIONS.filter((name) => value[name] !== undefined).map((name) => `all ${name}`);
  const entries = list.flatMap((item: unknown, at): FileEntry[] => {
    const place = `${path}, vulnerability ${at + 1}`;
    if (!isRecord(item) || typeof item['id'] !== 'string') throw new CliError('usage', `${place}: it has no id`);
    if (item['paths'] !== undefined) {
      left.push(`${item['id']}: it is limited to files, which an exception cannot be`);
      return [];
    }
    const said: FileEntry = {
      vulnerability: item['id'],
      ...(item['expired_at'] === undefined ? {} : { until: endIn(item['expired_at'], place) }),
      ...(typeof item['statement'] === 'string' ? { reason: item['statement'] } : {}),
    };
    return packagesIn(item['purls'], place).map((pkg) => ({ ...said, ...pkg }));
  });
  return { entries, left };
}

/** The packages an entry is limited to; one that says nothing when it is not. */
function packagesIn(purls: unknown, place: string): Pick<FileEntry, 'package' | 'packageType' | 'version'>[] {
  if (purls === undefined) return [{}];
  if (!Array.isArray(purls) || purls.length === 0)
    throw new CliError('usage', `${place}: "purls" is no list of package URLs`);
  return purls.map((purl: unknown) => {
    const parts = typeof purl === 'string' ? parsePurl(purl) : undefined;
    const found = parts && packageOfPurl(parts);
    if (!found)
      throw new CliError('usage', `${place}: ${JSON.stringify(purl)?.slice(0, 200)} is no package URL of a known type`);
    const { name, type, version } = found;
    return { package: name, packageType: type, ...(version === '' ? {} : { version }) };
  });
}

const IDS =
  /^(?:CVE|GHSA|GMS|GO|PYSEC|RUSTSEC|OSV|MAL|NSWG|SNYK|HSEC|JLSEC|BIT|CGA|TEMP|DSA|DLA|DTSA|USN|RHSA|RHBA|RHEA|RLSA|ALSA|ALBA|ALAS2?|ELSA|PHSA|SUSE-SU|openSUSE-SU|ALPINE-CVE|DEBIAN-CVE|UBUNTU-CVE)-\S*\d/i;

/** True for an id that names a vulnerability, not a check of configurations or licences. */
export function isVulnerability(id: string): boolean {
  return IDS.test(id) || id.toUpperCase().startsWith('GHSA-');
}
