import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readParameters } from '../../../src/stand-in/request-parameters.js';

const FORM = 'application/x-www-form-urlencoded';
const read = (body: string | Buffer, contentType = FORM, query = ''): unknown => {
  const result = readParameters({ query, contentType, body: Buffer.from(body) });
  return result.kind === 'read' ? JSON.parse(JSON.stringify(result.params)) : result.kind;
};

describe('a form', () => {
  test.each([
    ['user[]=A&user[]=B', { user: ['A', 'B'] }],
    ['user%5B%5D=A+B&user%5B%5D=C%20D', { user: ['A B', 'C D'] }],
    ['user=A&user=B', { user: 'B' }],
    ['user[]=A&user=B', { user: 'B' }],
    ['a[b][c]=1&a[b][d]=2', { a: { b: { c: '1', d: '2' } } }],
    ['a[][x]=1&a[][y]=2&a[][x]=3', { a: [{ x: '1', y: '2' }, { x: '3' }] }],
    ['from=%2B49&=x&&to', { from: '+49', to: '' }],
    ['name=J%C3%BCrgen', { name: 'Jürgen' }],
    ['a]=1&[b]=2&c[=3', { 'a]': '1', '[b]': '2', 'c[': '3' }],
    ['constructor=x&toString[]=y', { constructor: 'x', toString: ['y'] }],
  ])('%s', (body, expected) => {
    expect(read(body)).toEqual(expected);
  });
  test.each([
    'user=a&user[]=b',
    'user=a&user[b]=c',
    'user[]=a&user[b]=c',
    'a=%FF',
    'a=%',
    'a=%zz',
    `a${'[b]'.repeat(40)}=1`,
  ])('%s is a bad request', (body) => {
    expect(read(body)).toBe('bad-request');
  });
  test('raw bytes that are no UTF-8', () => {
    expect(read(Buffer.from([0x61, 0x3d, 0xff]))).toBe('bad-request');
  });
  test('no content type: a form', () => {
    expect(readParameters({ query: '', contentType: undefined, body: Buffer.from('event=newCall') })).toMatchObject({
      params: { event: 'newCall' },
    });
  });
  test('too many fields', () => {
    expect(read('a=1&'.repeat(4097))).toBe('bad-request');
  });
});

describe('JSON', () => {
  test('an object, whatever the charset', () => {
    expect(read('{"user":["A","B"],"n":1}', 'application/json; charset=utf-8')).toEqual({ user: ['A', 'B'], n: 1 });
  });
  test('a list is kept aside', () => {
    expect(read('[1]', 'application/json')).toEqual({ _json: [1] });
  });
  test.each(['{"a":', 'hello', gzipSync('{"a":1}'), Buffer.from('{"a":"\xff"}', 'latin1')])(
    '%s is malformed',
    (body) => {
      expect(read(body, 'application/json')).toBe('malformed');
    },
  );
  test('an empty body is no JSON to complain about', () => {
    expect(read('', 'application/json')).toEqual({});
  });
  test.each(['text/plain', 'application/vnd.api+json', 'text/json'])('as %s it is not read', (type) => {
    expect(read('{"direction":"in"}', type)).toEqual({});
  });
  test('as a form it is one strange name', () => {
    expect(read('{"direction":"in"}')).not.toHaveProperty('direction');
  });
});

test('the query counts too, and the body wins', () => {
  expect(read('b=2', FORM, 'a=1&b=1')).toEqual({ a: '1', b: '2' });
  expect(read('{"b":2}', 'application/json', 'a=1&b=1')).toEqual({ a: '1', b: 2 });
  expect(read('', FORM, 'a=%FF')).toBe('bad-request');
});

describe('multipart/form-data', () => {
  const part = (head: string, value: string) => `--X\r\nContent-Disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const type = 'multipart/form-data; boundary=X';
  test('fields and lists; files are left out', () => {
    const body = `${part('name="user[]"', 'A\r\nB')}${part('name="user[]"', 'Jü')}${part('name="f"; filename="x"', 'file')}--X--\r\n`;
    expect(read(body, type)).toEqual({ user: ['A\r\nB', 'Jü'] });
  });
  test.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['another boundary', type, '--Y--'],
    ['cut off', type, part('name="a"', 'b')],
  ])('%s', (_what, contentType, body) => {
    expect(read(body, contentType)).toBe('bad-request');
  });
});

test('no bytes make it throw', () => {
  const types = fc.constantFrom(FORM, 'application/json', 'multipart/form-data; boundary=X', undefined, 'text/plain');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), types, fc.string(), (bytes, contentType, query) => {
      const { kind } = readParameters({ query, contentType, body: Buffer.from(bytes) });
      expect(['read', 'bad-request', 'malformed']).toContain(kind);
    }),
  );
});
test('what a form encoder writes is read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, two) => {
      expect(
        read(
          new URLSearchParams([
            ['user[]', one],
            ['user[]', two],
            ['to', one],
          ]).toString(),
        ),
      ).toEqual({ user: [one, two], to: one });
    }),
  );
});
