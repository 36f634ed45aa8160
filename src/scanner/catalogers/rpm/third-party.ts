/** How the `Vendor` of packages begins that a distribution has built itself. In lower case. */
const DISTRIBUTIONS: readonly string[] = [
  'alibaba',
  'almalinux',
  'alt linux',
  'amazon',
  'anolis',
  'centos',
  'cloudlinux',
  'fedora project',
  'http://openeuler.org',
  'mageia',
  'openanolis',
  'openeuler',
  'openmandriva',
  'opensuse',
  'oracle america',
  'photon',
  'red hat',
  'rocky',
  'scientific linux',
  'suse',
  'tencent',
  'vmware',
];
/** Distributions that leave the vendor out, or share it with other products of the same company, mark the release. */
const MARKED_RELEASE = /\.(?:amzn|azl|cm|ph)\d/;
/** Extra packages for enterprise systems have the vendor of Fedora, and none of those systems patches them. */
const EXTRA = { vendor: 'fedora project', release: /\.el\d/ };

/**
 * True for a package that no distribution has built, by its `Vendor` and release: advisories of the distribution do not
 * speak of it, and its files are nobody else's to patch.
 */
export function isThirdParty(vendor: string, release: string): boolean {
  const maker = vendor.trim().toLowerCase();
  if (maker.startsWith(EXTRA.vendor) && EXTRA.release.test(release)) return true;
  if (DISTRIBUTIONS.some((name) => maker.startsWith(name))) return false;
  const shared = maker === '' || maker === '(none)' || maker.startsWith('microsoft');
  return !(shared && MARKED_RELEASE.test(release));
}
