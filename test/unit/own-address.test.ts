import { expect, test } from '@jest/globals';
import { ownAddress } from '../../src/own-address.js';

const at = { host: '127.0.0.1', port: 9470 };
const PUBLIC = 'https://phone1.example.com';
test.each([
  ['on this machine only', at, undefined],
  ['the same in IPv6', { ...at, host: '::1' }, undefined],
  ['behind a proxy that is named', { ...at, publicUrl: PUBLIC }, PUBLIC],
  ['in a network', { ...at, host: '10.0.0.11' }, 'http://10.0.0.11:9470'],
  ['in every network, with TLS', { ...at, host: '0.0.0.0', tls: {} }, 'https://machine:9470'],
  ['in a network of IPv6', { ...at, host: '2001:db8::1' }, 'http://[2001:db8::1]:9470'],
  ['in a network, and named', { ...at, host: '10.0.0.11', publicUrl: PUBLIC }, PUBLIC],
  ['nowhere', { ...at, port: 0, publicUrl: PUBLIC }, undefined],
])('where others find a bridge that listens %s', (_, facts, address) => {
  expect(ownAddress(facts, 'machine')).toBe(address);
});
