import type { AsteriskAmiConfig } from './config.js';
import type { AmiSession } from './session.js';

/** What an admin does who wants the bridge to have a right. `manager reload` alone changes nothing for a login that is there. */
export const giveRight = (right: string): string =>
  `give the login ${right} in manager.conf; then "manager reload", and restart the bridge: it keeps the rights with which it has logged in`;

const TIMEOUT_MS = 3_000;

/** A right to write, known by an action that it alone allows, and what is missing without it, in words for the admin. */
interface Right {
  readonly action: string;
  readonly missing: string;
}
const CALL: Right = {
  action: 'setvar',
  missing: `calls in progress are not taken up, and no call can be rejected: ${giveRight('write=call')}`,
};
const ORIGINATE: Right = {
  action: 'originate',
  missing: `nobody can be rung for click-to-call: ${giveRight('write=originate')}`,
};
const SYSTEM: Right = {
  action: 'pjsipshowendpoints',
  missing: `which endpoints are trunks cannot be asked, so no call can be told: set trunks: [NAME], or ${giveRight('write=system')}`,
};

/** Which of these the login lacks: ListCommands names the actions that it may send, and every login may ask. */
async function lacking(session: AmiSession, rights: readonly Right[], timeout: number): Promise<readonly string[]> {
  try {
    const reply = await session.send({ Action: 'ListCommands' }, { timeout });
    if (reply.response !== 'Success') return [];
    return rights.filter(({ action }) => reply.get(action) === undefined).map(({ missing }) => missing);
  } catch {
    // It did not say; what is wrong with the connection shows elsewhere.
    return [];
  }
}

/** What is missing when the login may not ring anybody. */
export const missingOriginate = async (session: AmiSession): Promise<string | undefined> =>
  (await lacking(session, [ORIGINATE], TIMEOUT_MS))[0];

/** What the login may not do of what it is configured for. The rights to read cannot be asked for. */
export const missingRights = (
  session: AmiSession,
  { dial, trunks }: Pick<AsteriskAmiConfig, 'dial' | 'trunks'>,
  timeout: number,
): Promise<readonly string[]> =>
  lacking(
    session,
    [CALL, ...(dial === undefined ? [] : [ORIGINATE]), ...(trunks === undefined ? [SYSTEM] : [])],
    timeout,
  );
