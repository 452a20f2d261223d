import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { AdapterRegistry } from '../../../src/pbx/registry.js';
import { fakeAdapter } from './support.js';

const named = (type: string): object => ({ ...fakeAdapter, type });
const moduleOf =
  (exports: object): (() => Promise<object>) =>
  () =>
    Promise.resolve(exports);

describe('the registry of adapters', () => {
  test('loads a known type, from "adapter" or the default export, and nothing else', async () => {
    const registry = new AdapterRegistry({
      one: moduleOf({ adapter: named('one') }),
      two: moduleOf({ default: named('two') }),
      never: () => Promise.reject(new Error('loaded without being asked for')),
    });
    expect((await registry.load('one', '/')).type).toBe('one');
    expect((await registry.load('two', '/')).type).toBe('two');
    expect(registry.types()).toEqual(['never', 'one', 'two']);
  });

  test('refuses a second adapter of a type', () => {
    const registry = new AdapterRegistry({ one: moduleOf({}) });
    expect(() => {
      registry.add('one', moduleOf({}));
    }).toThrow('there are two adapters of type "one"; rename or remove one');
  });

  test('refuses a list that calls an adapter by another name', async () => {
    const registry = new AdapterRegistry({ one: moduleOf({ adapter: named('two') }) });
    await expect(registry.load('one', '/')).rejects.toThrow(
      'the adapter listed as "one" calls itself "two"; make them equal',
    );
  });

  test('loads one from outside, by path from the directory of the configuration, or by package name', async () => {
    const asked: string[] = [];
    const registry = new AdapterRegistry({}, (specifier) => {
      asked.push(specifier);
      return Promise.resolve({ default: named('mine') });
    });
    for (const name of ['./my-adapter.js', '../x.mjs', '/opt/a.js', '@scope/pkg', 'pkg/sub.js']) {
      expect((await registry.load(name, '/etc/bridge')).type).toBe('mine');
    }
    expect(asked).toEqual([
      'file:///etc/bridge/my-adapter.js',
      'file:///etc/x.mjs',
      'file:///opt/a.js',
      '@scope/pkg',
      'pkg/sub.js',
    ]);
  });

  test('refuses one from outside that hides one of its own', async () => {
    const registry = new AdapterRegistry({ one: moduleOf({}) }, moduleOf({ adapter: named('one') }));
    await expect(registry.load('./x.js', '/')).rejects.toThrow(
      '"./x.js" calls itself "one", which this program has already',
    );
  });

  test('names the known types when there is none of that name', async () => {
    const registry = new AdapterRegistry({ two: moduleOf({}), one: moduleOf({}) });
    const line =
      'there is no adapter "no-such-adapter-here"; known are one, two, or a package name, or a path (./x.js)';
    await expect(registry.load('no-such-adapter-here', '/')).rejects.toMatchObject({
      code: 'ZPB_ADAPTER_UNKNOWN',
      message: line,
    });
    // Neither a name nor a path: never handed to import().
    for (const name of ['data:text/javascript,0', 'node:fs', 'file:///x.js', 'https://x/y.js', 'a b', '']) {
      await expect(registry.load(name, '/')).rejects.toMatchObject({ code: 'ZPB_ADAPTER_UNKNOWN' });
    }
  });

  test('says why a module cannot be loaded', async () => {
    const registry = new AdapterRegistry({}, () => Promise.reject(new SyntaxError('Unexpected token\nat …')));
    await expect(registry.load('./x.js', '/')).rejects.toMatchObject({
      code: 'ZPB_ADAPTER',
      message: 'the module "./x.js" cannot be loaded: Unexpected token',
    });
  });

  test.each([
    [{}, 'there is neither "adapter" nor a default export that is an object'],
    [{ adapter: { ...fakeAdapter, type: 'Not A Name' } }, '"type" is no name'],
    [{ adapter: { ...fakeAdapter, configSchema: {} } }, '"configSchema" is no zod 4 schema'],
    [{ default: { type: 'x', configSchema: z.object({}) } }, '"create" is no function'],
  ])('refuses a module that is no adapter: %#', async (exports, why) => {
    const registry = new AdapterRegistry({}, moduleOf(exports));
    await expect(registry.load('./x.js', '/')).rejects.toThrow(`the module of "./x.js" exports no adapter: ${why};`);
  });

  test('really imports a package (this one is no adapter)', async () => {
    await expect(new AdapterRegistry().load('yaml', '/')).rejects.toThrow('the module of "yaml" exports no adapter');
  });
});
