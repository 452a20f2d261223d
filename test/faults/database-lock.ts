import { existsSync } from 'node:fs';
import { pause } from '../support/wait-for.js';

const TRIES = 40;
const EVERY_MS = 25;

/**
 * Holds the SQLite file against every other writer, as a backup or a curious person with a shell would. Returns what lets it
 * go; undefined when there is no such file, or it could not be had.
 */
export async function lockDatabase(path: string): Promise<(() => void) | undefined> {
  if (!existsSync(path)) return undefined;
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(path, { timeout: 0, fileMustExist: true });
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return () => {
        database.close();
      };
    } catch {
      await pause(EVERY_MS);
    }
  }
  database.close();
  return undefined;
}
