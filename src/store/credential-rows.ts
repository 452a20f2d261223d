/** The credentials as rows of a database; see `Credentials`. */
import { MOST_TOKENS, SESSIONS_OF_A_TOKEN, type Credential } from './credentials.js';
import type { CredentialRow, Database, Dialect, Within } from './schema.js';

export const credentialRow = (credential: Credential): CredentialRow => ({
  id: credential.id,
  kind: credential.kind,
  agent: credential.agent,
  hash: credential.hash,
  parent: credential.parent ?? null,
  label: credential.label ?? null,
  created_at: credential.createdAt,
  expires_at: credential.expiresAt ?? null,
});

export const credentialOf = (row: CredentialRow): Credential => ({
  id: row.id,
  kind: row.kind,
  agent: row.agent,
  hash: row.hash,
  parent: row.parent ?? undefined,
  label: row.label ?? undefined,
  createdAt: row.created_at,
  expiresAt: row.expires_at ?? undefined,
});

export async function addCredential(trx: Within, { locksRows, now }: Dialect, row: CredentialRow): Promise<boolean> {
  if (row.parent === null) {
    if ((await countTokens(trx)) >= MOST_TOKENS) return false;
  } else {
    // Locked: a token that is revoked at this moment takes the session along, or the session is not begun.
    const token = await trx
      .selectFrom('zpb_credentials')
      .select('id')
      .where('id', '=', row.parent)
      .$if(locksRows, (query) => query.forUpdate())
      .executeTakeFirst();
    if (token === undefined) return false;
    await makeRoom(trx, row.parent);
  }
  // By the one clock that all bridges have: that of the maker may be wrong, and would end what others have begun.
  await trx.deleteFrom('zpb_credentials').where('expires_at', '<=', now).execute();
  await trx.insertInto('zpb_credentials').values(row).execute();
  return true;
}

async function countTokens(trx: Within): Promise<number> {
  const { tokens } = await trx
    .selectFrom('zpb_credentials')
    .select((eb) => eb.fn.countAll<number | string>().as('tokens'))
    .where('kind', '=', 'token')
    .executeTakeFirstOrThrow();
  return Number(tokens);
}

async function makeRoom(trx: Within, parent: string): Promise<void> {
  const sessions = await trx
    .selectFrom('zpb_credentials')
    .select('id')
    .where('parent', '=', parent)
    .orderBy('created_at', 'desc')
    .orderBy('id')
    .execute();
  const tooMany = sessions.slice(SESSIONS_OF_A_TOKEN - 1).map(({ id }) => id);
  if (tooMany.length > 0) await trx.deleteFrom('zpb_credentials').where('id', 'in', tooMany).execute();
}

export async function findCredential(db: Database, id: string, now: number): Promise<CredentialRow | undefined> {
  return db
    .selectFrom('zpb_credentials')
    .selectAll()
    .where('id', '=', id)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .executeTakeFirst();
}

export async function listTokens(db: Database, agent: string | undefined): Promise<readonly CredentialRow[]> {
  return db
    .selectFrom('zpb_credentials')
    .selectAll()
    .where('kind', '=', 'token')
    .$if(agent !== undefined, (query) => query.where('agent', '=', agent ?? ''))
    .orderBy('created_at')
    .orderBy('id')
    .limit(MOST_TOKENS)
    .execute();
}

export async function revokeCredential(trx: Within, id: string): Promise<CredentialRow | undefined> {
  const revoked = await trx.deleteFrom('zpb_credentials').where('id', '=', id).returningAll().executeTakeFirst();
  await trx.deleteFrom('zpb_credentials').where('parent', '=', id).execute();
  return revoked;
}
