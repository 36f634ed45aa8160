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
const SHARED_VENDORS: readonly string[] = ['', 'microsoft'];

/**
 * True for a package that no distribution has built, by its `Vendor` and release: advisories of the distribution do not
 * speak of it, and its files are nobody else's to patch.
 */
export function isThirdParty(vendor: string, release: string): boolean {
  const maker = vendor.trim().toLowerCase();
  if (DISTRIBUTIONS.some((name) => maker.startsWith(name))) return false;
  const shared = SHARED_VENDORS.some((name) =>
    name === '' ? maker === '' || maker === '(none)' : maker.startsWith(name),
  );
  return !(shared && MARKED_RELEASE.test(release));
}
