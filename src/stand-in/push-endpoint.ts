import type { CallRules } from './call-rules.js';
import type { CallRow } from './call-row.js';
import type { CallerLog } from './caller-log.js';
import type { Person, PhoneBook } from './phone-book.js';
import { badRequest, errorId, json, raised, type Reply } from './reply.js';
import type { ReadParameters } from './request-parameters.js';

/** What an admin can switch in Zammad. */
export interface Settings extends CallRules {
  /** The integration is on. Off is found out before the token is looked at. */
  readonly enabled: boolean;
  /** Its configuration is not blank. That too is found out before the token is looked at. */
  readonly configured: boolean;
  /** How many of the newest rows agents see, and count. */
  readonly viewLimit: number;
}

export interface PushRequest {
  /** The token in the path. */
  readonly token: string;
  readonly asJson: boolean;
  readonly parameters: ReadParameters;
}

export interface PushResult {
  readonly reply: Reply;
  /** Zammad took it: there is a new row, or one is as the post says. */
  readonly accepted?: boolean | undefined;
  /** The row as it is now, if it was created or changed. */
  readonly row?: CallRow | undefined;
  /** The agent whose ticket screen was opened. */
  readonly screen?: Person | undefined;
}

export interface Zammad {
  readonly log: CallerLog;
  readonly people: PhoneBook;
  readonly token: string;
  settings: Settings;
  readonly random: () => number;
}

/** `POST /api/v1/cti/:token`: the checks in Zammad's order, then the caller log. `now`: ms since 1970. */
export function answerPush(zammad: Zammad, request: PushRequest, now: number): PushResult {
  const { parameters, asJson } = request;
  const { settings, random } = zammad;
  if (parameters.kind === 'bad-request') return { reply: badRequest };
  if (parameters.kind === 'malformed') return { reply: errorId(500, asJson, random) };
  if (!settings.enabled) {
    return { reply: json(422, { error: 'Feature is disabled, please contact your administrator!' }) };
  }
  if (!settings.configured) {
    return { reply: json(422, { error: 'Feature not configured, please contact your admin!' }) };
  }
  if (request.token !== zammad.token) {
    return { reply: json(401, { error: 'Invalid token, please contact your admin!' }) };
  }
  const outcome = zammad.log.process(parameters.params, settings, zammad.people, now);
  switch (outcome.kind) {
    case 'accepted':
      return { accepted: true, reply: json(200, outcome.reply), row: outcome.row, screen: outcome.screen };
    case 'invalid-direction':
      return { reply: json(422, { error: "Invalid 'direction'!" }) };
    case 'refused':
      return { reply: raised(outcome.status, outcome.message, asJson, outcome.message) };
    case 'failed':
      return { reply: errorId(outcome.status, asJson, random), row: outcome.row };
  }
}
