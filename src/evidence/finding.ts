import type { SectionName } from './lines.ts';

/** One thing that is wrong with a document. */
export interface Finding {
  /** One sentence that names the line or section. */
  readonly message: string;
  readonly section?: SectionName;
  /** Position in the section from 1; for `ledger` the number of the line in the audit log. */
  readonly line?: number;
}

/** How people call a section. */
export const SECTION_TITLES: Readonly<Record<SectionName, string>> = {
  projects: 'projects',
  policies: 'policies',
  policyVersions: 'policy versions',
  repositories: 'repositories',
  manifests: 'stored images',
  verdictChanges: 'verdict changes',
  clusters: 'clusters',
  runningImages: 'running images',
  violations: 'violations',
  advisorySources: 'advisory sources',
  advisoryVersions: 'advisory databases',
  exceptions: 'exceptions',
  trustedSources: 'trusted sources',
  users: 'users',
  ledger: 'audit log',
};

/** A finding about one line of a section; `line` as in `Finding`. */
export function lineFinding(section: SectionName, line: number, what: string, name = ''): Finding {
  const where =
    section === 'ledger'
      ? `Line ${line} of the audit log`
      : `Line ${line} of section "${section}" (${SECTION_TITLES[section]})${name === '' ? '' : `, ${name},`}`;
  return { section, line, message: `${where} ${what}.` };
}

const NAMING = [
  'repository',
  'name',
  'entry',
  'owner',
  'cluster',
  'vulnerability',
  'version',
  'ecosystem',
  'seq',
  'digest',
  'id',
];

/** What a line is about, in a few words; empty when it does not say. */
export function nameOfLine(line: unknown): string {
  if (typeof line !== 'object' || line === null) return '';
  const said = new Map(Object.entries(line));
  return NAMING.flatMap((member) => {
    const value: unknown = said.get(member);
    return typeof value === 'string' || typeof value === 'number'
      ? [`${member} ${JSON.stringify(value).slice(0, 90)}`]
      : [];
  })
    .slice(0, 3)
    .join(' ');
}
