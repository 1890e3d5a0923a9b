import { describe, expect, test } from '@jest/globals';
import { Buckets, nameOfAddress } from '../../src/http/buckets.js';

describe('buckets by name', () => {
  test('each name has its own; refused ones are told the seconds to wait', () => {
    const buckets = new Buckets({ perMinute: 6, burst: 1 });
    expect([buckets.take('a', 0), buckets.take('a', 0), buckets.take('b', 0)]).toEqual([undefined, 10, undefined]);
    expect(buckets.take('a', 10_000)).toBeUndefined();
  });
  test('more names than are kept share one bucket, until others are full again', () => {
    const buckets = new Buckets({ perMinute: 60, burst: 1 }, 2);
    expect(['a', 'b', 'c', 'd'].map((name) => buckets.take(name, 0))).toEqual([undefined, undefined, undefined, 1]);
    expect(buckets.take('a', 0)).toBe(1);
    expect(['e', 'f'].map((name) => buckets.take(name, 1_000))).toEqual([undefined, undefined]);
  });
  test('an address of IPv6 stands for its network, one of IPv4 for itself however it is written', () => {
    expect(nameOfAddress('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(nameOfAddress('2001:0DB8:1:2::9')).toBe('2001:db8:1:2::/64');
    expect(nameOfAddress('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(nameOfAddress('::1')).toBe('0:0:0:0::/64');
    expect(nameOfAddress('::ffff:10.0.0.7')).toBe('10.0.0.7');
    expect(nameOfAddress('10.0.0.7')).toBe('10.0.0.7');
    expect(nameOfAddress(undefined)).toBe('unknown');
  });
});
