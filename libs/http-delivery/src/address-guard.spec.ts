import type { lookup as systemLookup } from 'node:dns';
import { describe, expect, it } from '@jest/globals';
import { AddressGuard, AddressRefused, NotACidr } from './address-guard.js';

const guard = new AddressGuard([]);

describe('AddressGuard', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a00:1',
    '::FFFF:169.254.169.254',
    '::ffff:0:127.0.0.1',
    '0:0:0:0:0:ffff:7f00:1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::1',
    '100::1',
    'fc00::1',
    'fd12:3456::1',
    'fd00:ec2::254',
    '5f00::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'not an address',
    '',
  ])('refuses %p', (address) => expect(guard.allows(address)).toBe(false));

  it.each([
    '1.1.1.1',
    '168.63.129.17',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700:4700::1111',
    '2a00:1450::1',
    '::ffff:1.1.1.1',
  ])('allows %s', (address) => expect(guard.allows(address)).toBe(true));

  it('allows what a setting names, also in its IPv6 form', () => {
    const open = new AddressGuard(['127.0.0.0/8', 'fd00::/8']);
    expect(['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'fd00::1'].every((one) => open.allows(one))).toBe(true);
    expect(open.allows('10.0.0.1')).toBe(false);
    expect(open.allows('::1')).toBe(false);
  });

  it.each(['127.0.0.1', '127.0.0.0/33', '10.0.0.0/8/8', 'fd00::/129', 'lan', '10.0.0.0/x'])(
    'says that %p is no network',
    (cidr) => expect(() => new AddressGuard([cidr])).toThrow(NotACidr),
  );

  it('gives a socket only the addresses that it may connect to', () => {
    const answers = [
      { address: '127.0.0.1', family: 4 },
      { address: '1.1.1.1', family: 4 },
    ];
    const resolve = ((_host: string, _options: object, done: (error: null, found: object[]) => void) =>
      done(null, answers)) as unknown as typeof systemLookup;
    const resolving = new AddressGuard([], resolve);
    let found: unknown;
    resolving.lookup('example.test', { all: true }, (_error, addresses) => (found = addresses));
    expect(found).toEqual([{ address: '1.1.1.1', family: 4 }]);
    resolving.lookup('example.test', {}, (_error, address) => (found = address));
    expect(found).toBe('1.1.1.1');
    answers.pop();
    resolving.lookup('example.test', { all: true }, (error) => (found = error));
    expect(found).toBeInstanceOf(AddressRefused);
  });
});
