import { PermanentError } from '../../src/errors.js';

/**
 * An action and its headers, in the order in which they are sent: `{ Action: 'Originate', Variable: ['A=1', 'B=2'] }` sends
 * two `Variable` lines. A header whose value is undefined is left out. The ActionID is the session's.
 */
export interface AmiAction {
  readonly Action: string;
  readonly [header: string]: string | number | readonly string[] | undefined;
}

/** Asterisk throws away lines of 1024 bytes and more (main/manager.c), name and line end included. */
export const MAX_LINE_BYTES = 1000;
/** Asterisk takes 128 headers and drops the rest without a word. */
export const MAX_HEADERS = 100;

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9_-]*$/;
/** Asterisk ends a line at a bare LF too, and a text at NUL. */
const LINE_BREAKING = /[\r\n\0]/;

/**
 * The bytes of an action.
 * @throws PermanentError ZPB_AMI_ACTION when it cannot be written so that Asterisk reads just this one action. The message
 * names the header and never the value, which may be a secret.
 */
export function encodeAction(action: AmiAction, actionId: string): Buffer {
  const lines = [headerLine('Action', action.Action, action.Action), headerLine('ActionID', actionId, action.Action)];
  if (action.Action === '') throw refused('?', 'Action', 'is empty');
  for (const [name, value] of Object.entries(action)) {
    if (name === 'Action' || value === undefined) continue;
    if (name.toLowerCase() === 'actionid' || name.toLowerCase() === 'action') {
      throw refused(action.Action, name, 'is set by the session and must not be given');
    }
    for (const one of typeof value === 'object' ? value : [value]) lines.push(headerLine(name, one, action.Action));
  }
  if (lines.length > MAX_HEADERS) {
    throw refused(action.Action, `number ${MAX_HEADERS + 1}`, `is one more than the ${MAX_HEADERS} that are allowed`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8');
}

function headerLine(name: string, value: string | number, action: string): string {
  if (!HEADER_NAME.test(name)) throw refused(action, name, 'has a name that is not of letters, digits, "-" and "_"');
  const line = `${name}: ${value}`;
  if (LINE_BREAKING.test(line))
    throw refused(action, name, 'holds a line break or NUL, which would begin another line');
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) throw refused(action, name, `is longer than ${MAX_LINE_BYTES} bytes`);
  return line;
}

const refused = (action: string, header: string, why: string): PermanentError =>
  new PermanentError(
    'ZPB_AMI_ACTION',
    `The action ${printable(action)} was not sent to Asterisk: its header ${printable(header)} ${why}. ` +
      'Correct the configuration or the call that the value comes from.',
  );

/** Foreign text, quoted and bounded, fit for a message. */
const printable = (text: string): string => JSON.stringify(text.slice(0, 64));
