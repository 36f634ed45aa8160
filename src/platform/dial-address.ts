import { BlockList, isIP } from 'node:net';

/** Of the local machine and of private networks (RFC 6890 and successors). */
const PRIVATE: readonly (readonly [address: string, bits: number])[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['::1', 128],
  ['fc00::', 7],
];

/** Nothing that is told anything lives there: this host, link-local with the metadata of clouds, documentation, multicast. */
const NEVER: readonly (readonly [address: string, bits: number])[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['fd00:ec2::254', 128],
];

const privateOnes = listOf(PRIVATE);
const never = listOf(NEVER);
/** IPv6 that is routed in the internet, and what of it is not: Teredo and others, documentation, 6to4 (which hides an IPv4 address). */
const global6 = listOf([['2000::', 3]]);
const special6 = listOf([
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);
/** Translated to IPv4, whose address is in the last four bytes. */
const translated = listOf([
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
]);

/**
 * Whether a connection to this IP address may be made for a receiver that somebody configured: `public`, `private` where that is
 * allowed, `never` for what is neither.
 */
export function dialAddress(address: string): 'public' | 'private' | 'never' {
  const [bare = ''] = address.split('%', 1);
  const kind = isIP(bare);
  if (kind === 4) return ofList(bare, 'ipv4') ?? 'public';
  if (kind !== 6) return 'never';
  const inner = embedded(bare);
  if (inner !== undefined) return dialAddress(inner);
  const listed = ofList(bare, 'ipv6');
  if (listed) return listed;
  return global6.check(bare, 'ipv6') && !special6.check(bare, 'ipv6') ? 'public' : 'never';
}

function ofList(address: string, family: 'ipv4' | 'ipv6'): 'private' | 'never' | undefined {
  if (never.check(address, family)) return 'never';
  return privateOnes.check(address, family) ? 'private' : undefined;
}

/** The IPv4 address that an IPv6 one stands for. */
function embedded(address: string): string | undefined {
  // A block list finds mapped addresses in the list of IPv4, not in that of IPv6: they are told by their form.
  const host = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const mapped = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!mapped) return translated.check(host, 'ipv6') ? '0.0.0.0' : undefined;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function listOf(ranges: readonly (readonly [address: string, bits: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, isIP(address) === 4 ? 'ipv4' : 'ipv6');
  return list;
}
