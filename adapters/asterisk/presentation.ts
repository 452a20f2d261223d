/** Whether a caller wants his number shown, as an Asterisk says it in words. */

/** Where FreePBX keeps what it was, before its inbound routes allow every number (functions.inc.php of its module core). */
export const FREEPBX_PRESENTATION = 'CALLINGNUMPRES_SV';

/** `prohib…` and `unavailable` are not to be shown. */
export const isWithheld = (presentation: string | undefined): boolean =>
  /^(?:prohib|unavail)/iu.test(presentation ?? '');
