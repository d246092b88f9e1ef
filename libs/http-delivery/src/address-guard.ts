import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where endpoints may not be: this machine, private networks, and what is no unicast address of the internet. */
const REFUSED_IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Within a cloud it is not of the internet: Azure's host answers there, also for credentials.
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Of IPv6 only 2000::/3 is unicast on the internet (so no ::1, fc00::/7, fe80::/10, 64:ff9b::/96, ff00::/8 …). */
const GLOBAL_IPV6 = ['2000::', 3] as const;

/** What inside of 2000::/3 is for protocols, for documentation, or carries an IPv4 address. */
const REFUSED_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

/** The endpoint's address is one that endpoints may not have. */
export class AddressRefused extends Error {
  override name = 'AddressRefused';
  readonly code = 'HOOKLINE_ADDRESS_REFUSED';
  constructor(readonly host: string) {
    super(`${host} is not at an address that endpoints may have`);
  }
}

/** An entry of the allowed networks is none. */
export class NotACidr extends Error {
  override name = 'NotACidr';
}

/**
 * Keeps deliveries out of private networks. It looks at the address that is being connected to, not at one that was
 * resolved before: a name that changes its address between check and use gains nothing.
 */
export class AddressGuard {
  private readonly refused4 = new BlockList();
  private readonly refused6 = new BlockList();
  private readonly global6 = new BlockList();
  private readonly allowed = new BlockList();

  /**
   * @param allowCidrs networks that endpoints may be in all the same, e.g. `127.0.0.0/8`
   * @throws NotACidr
   */
  constructor(
    allowCidrs: readonly string[],
    private readonly resolve: typeof systemLookup = systemLookup,
  ) {
    for (const [network, bits] of REFUSED_IPV4) this.refused4.addSubnet(network, bits, 'ipv4');
    for (const [network, bits] of REFUSED_IPV6) this.refused6.addSubnet(network, bits, 'ipv6');
    this.global6.addSubnet(...GLOBAL_IPV6, 'ipv6');
    for (const cidr of allowCidrs) addCidr(this.allowed, cidr);
  }

  /** @param address an IPv4 or IPv6 address, without brackets */
  allows(address: string): boolean {
    const [ip = ''] = address.split('%');
    const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1] ?? mappedIpv4(ip);
    if (mapped !== undefined) return this.allows(mapped);
    switch (isIP(ip)) {
      case 4:
        return this.allowed.check(ip, 'ipv4') || !this.refused4.check(ip, 'ipv4');
      case 6:
        return this.allowed.check(ip, 'ipv6') || (this.global6.check(ip, 'ipv6') && !this.refused6.check(ip, 'ipv6'));
      default:
        return false;
    }
  }

  /** What a socket asks for the addresses of a host: it gets only those that it may connect to. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : (options.family ?? 0);
    const all: LookupOptions & { all: true } = { ...options, family, all: true };
    this.resolve(hostname, all, (error, addresses) => {
      if (error) return callback(error, '');
      const permitted = addresses.filter(({ address }) => this.allows(address));
      const [first] = permitted as [LookupAddress?];
      if (first === undefined) return callback(new AddressRefused(hostname), '');
      if (options.all) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

/** `::ffff:7f00:1` is how a URL writes `::ffff:127.0.0.1`. */
function mappedIpv4(ip: string): string | undefined {
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(ip);
  if (!match) return undefined;
  const [high, low] = [Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

function addCidr(list: BlockList, cidr: string): void {
  const [network = '', bits = '', ...rest] = cidr.split('/');
  const family = isIP(network);
  const prefix = Number(bits);
  const valid = family !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && prefix <= (family === 4 ? 32 : 128);
  if (!valid) throw new NotACidr(`${cidr} is not a network such as 10.0.0.0/8 or fd00::/8`);
  list.addSubnet(network, prefix, family === 4 ? 'ipv4' : 'ipv6');
}
