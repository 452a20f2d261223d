/** What mends a trouble that the adapter has no better advice for. */
export const ASTERISK_LOG = "Look at Asterisk's log.";
