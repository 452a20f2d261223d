import { expect, jest, test } from '@jest/globals';

jest.unstable_mockModule('better-sqlite3', () => ({
  default: function () {
    throw new Error('Could not locate the bindings file. Tried:\n → /some/where/build/better_sqlite3.node');
  },
}));
const { loadSqlite } = await import('../../../src/store/sqlite-database.js');

test('a package that is not there, or lacks its compiled part, is one clear line', async () => {
  await expect(loadSqlite()).rejects.toMatchObject({
    code: 'ZPB_STORE_SQLITE_MISSING',
    retriable: false,
    message:
      'The package better-sqlite3 cannot be loaded (Could not locate the bindings file. Tried:): install it, or give store.url of a PostgreSQL',
  });
});
