/**
 * Mail domains of makers who publish their own packages for Debian and Ubuntu. Their packages are not patched by the
 * distribution, so its advisories say nothing about what they carry. The makers are those that Trivy's documentation
 * names as third parties.
 */
const DOMAINS: ReadonlySet<string> = new Set([
  'cloudflare.com',
  'datadoghq.com',
  'docker.com',
  'elastic.co',
  'f5.com',
  'gitlab.com',
  'grafana.com',
  'hashicorp.com',
  'influxdata.com',
  'konghq.com',
  'microsoft.com',
  'mongodb.com',
  'nginx.com',
  'nodesource.com',
  'nvidia.com',
  'oss.oracle.com',
  'tailscale.com',
  'yarnpkg.com',
]);

const DOMAIN = /@([a-z0-9.-]+)>?\s*$/i;

/** True when a `Maintainer` field names a maker outside the distribution. */
export function isThirdParty(maintainer: string | undefined): boolean {
  const domain = DOMAIN.exec(maintainer ?? '')?.[1]?.toLowerCase();
  return domain !== undefined && DOMAINS.has(domain);
}
