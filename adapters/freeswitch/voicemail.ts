import type { EslEvent } from './event.js';

/** With these words, before its profile, the application `voicemail` is somebody who hears his messages, not a caller who leaves one. */
const HEARS_HIS_OWN = /^\s*(?:check|auth|auth_only)\b/i;

/**
 * Whether a leg leaves a message with a voicemail box, as far as an event of it says so: no event tells that as such, but each has the
 * leg's variables. Read in the sources of mod_voicemail, mod_loopback and FusionPBX, not recorded.
 */
export function isWithVoicemail(event: EslEvent): boolean {
  const leaves = (application: string, data: string): boolean =>
    event.get(`variable_${application}`) === 'voicemail' && !HEARS_HIS_OWN.test(event.get(`variable_${data}`) ?? '');
  return (
    // What runs on it.
    leaves('current_application', 'current_application_data') ||
    // `bridge loopback/app=voicemail:…`, as the vanilla dialplan has it: both halves.
    leaves('loopback_app', 'loopback_app_arg') ||
    // A message was left, and the dialplan has gone on.
    (event.get('variable_voicemail_account') !== undefined &&
      event.get('variable_voicemail_message_len') !== undefined) ||
    // FusionPBX, whose voicemail is a script.
    event.get('variable_voicemail_action') === 'save'
  );
}
