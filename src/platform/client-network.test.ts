import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clientNetwork } from './client-network.ts';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0DB8:0000:00aB:1:2:3:4', '2001:db8:0:ab::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', 'unknown'],
  ['evil\r\nx', 'unknown'],
  ['::ffff:999.1.1.1', 'unknown'],
])('%s is %s', (address, expected) => expect(clientNetwork(address)).toBe(expected));

/** The runtime's own short form, so that `::` stands in every place. */
function written(groups: readonly number[]): string {
  return new SocketAddress({ address: groups.map((one) => one.toString(16)).join(':'), family: 'ipv6' }).address;
}

it('is the same for two addresses exactly when their first 64 bits are', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  const groups = fc.array(group, { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, fc.array(group, { minLength: 4, maxLength: 4 }), fc.nat(3), (one, host, at) => {
      // Mapped IPv4 addresses are another matter.
      fc.pre(one.slice(0, 4).some((part) => part !== 0));
      const neighbour = [...one.slice(0, 4), ...host];
      const other = one.map((part, index) => (index === at ? part ^ 1 : part));
      fc.pre(other.slice(0, 4).some((part) => part !== 0));
      expect(clientNetwork(written(neighbour))).toBe(clientNetwork(written(one)));
      expect(clientNetwork(written(other))).not.toBe(clientNetwork(written(one)));
    }),
  );
});
