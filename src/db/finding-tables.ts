import type { Generated } from 'kysely';

/** What verdicts say of vulnerabilities, so that it can be listed over everything that is stored. */
export interface FindingTables {
  findings: FindingsTable;
  finding_names: FindingNamesTable;
  finding_packages: FindingPackagesTable;
  finding_groups: FindingGroupsTable;
  finding_repositories: FindingRepositoriesTable;
  finding_images: FindingImagesTable;
  repository_findings: RepositoryFindingsTable;
  image_findings: ImageFindingsTable;
}

/** A vulnerability of a version of a package, once for all images. */
interface FindingsTable {
  id: Generated<number>;
  /** Hash of vulnerability, package, version, fix, severity, vendor status and whether it is exploited: all that does not change in this row. */
  identity: string;
  vulnerability: string;
  /** JSON list, as the newest verdict that came to it says. */
  aliases: string;
  package: string;
  package_number: number;
  installed: string;
  /** Empty: no fix. */
  fixed: string;
  /** Rank: `model/severity.ts`. */
  severity: number;
  fixable: number;
  kev: number;
  vendor_status: string;
  /** Probability, as the newest verdict that came to it says; -1 when nobody says one. */
  epss: number;
}

/** What vulnerabilities are called: their id and its aliases, in small letters. */
interface FindingNamesTable {
  name: string;
  finding_id: number;
}

/** Short numbers of packages. They stay, like the names themselves. */
interface FindingPackagesTable {
  number: Generated<number>;
  name: string;
}

/** Number of rows of the list that are alike in all that rows are searched by but the vulnerability. */
interface FindingGroupsTable {
  repository: number;
  package: number;
  statuses: number;
  traits: number;
  findings: number;
  /** Epoch ms: no row in it was first seen later. */
  newest: number;
}

/** Short numbers of repositories, for the tables below. */
interface FindingRepositoriesTable {
  number: Generated<number>;
  repository_id: string;
  project_id: string;
  /** Full name. */
  name: string;
}

/** Images whose findings are listed. */
interface FindingImagesTable {
  number: Generated<number>;
  repository: number;
  digest: string;
  /** Their numbers in order, each with the letter of its status: `12b 15w`. */
  findings: string;
}

/** A row of the list: in how many images of a repository a finding has which status. */
interface RepositoryFindingsTable {
  finding_id: number;
  repository: number;
  blocked: number;
  warned: number;
  in_grace: number;
  excepted: number;
  dismissed: number;
  /** A bit for each of the counts that is not 0, the first lowest. */
  statuses: number;
  /** What of the finding rows are searched by: `findings/traits.ts`. */
  traits: number;
  /** Of the finding. */
  package: number;
  /** Epoch ms; the earliest that a verdict on one of the images said. */
  first_seen: number;
}

interface ImageFindingsTable {
  finding_id: number;
  repository: number;
  image: number;
}
