/**
 * Every error code, for docs/errors.md, which is generated from this table (`npm run docs`). `npm run check:docs` fails when a
 * code of the source is missing here, or one of these is used nowhere. A code that is no longer used is removed and never
 * given to something else. One line each, in the order of the alphabet.
 */
export interface ErrorEntry {
  readonly meaning: string;
  readonly remedy: string;
}

const entry = (meaning: string, remedy: string): ErrorEntry => ({ meaning, remedy });
const DEFECT = 'A defect of the bridge or of an adapter: please report it with the log.';
const BY_ITSELF = 'Nothing: the bridge tries again by itself.';

// biome-ignore format: one line an entry keeps the table readable and its merges small
export const ERROR_CATALOGUE: Readonly<Record<string, ErrorEntry>> = {
  ZPB_ADAPTER: entry('The module that a PBX entry names as its adapter cannot be loaded, is no adapter, or has the type of another one.', 'Mend the module: it exports `defineAdapter({ type, configSchema, create })` as `adapter` or default.'),
  ZPB_ADAPTER_FAULT: entry('An adapter threw something unforeseen.', DEFECT),
  ZPB_ADAPTER_UNKNOWN: entry('There is no adapter of the name that a PBX entry gives.', 'Correct `adapter`: one of the known types, a package installed beside the bridge, or the path of a module.'),
  ZPB_AGI_REQUEST: entry("A dialplan's request at the gate, or its reply to a command, did not come whole or in time, or the caller hung up meanwhile. The call goes on.", 'Nothing, if callers hang up. Else look at the load of the PBX, and at what else connects to `gate.port`.'),
  ZPB_AMI_ACTION: entry('An action was not sent to Asterisk because a value in it could be read as more than a value (line breaks, too long).', 'Correct the setting, or find the call, that the value comes from.'),
  ZPB_AMI_AUTH: entry('Asterisk refused the login. It does not say whether user, secret or address is wrong.', 'Compare `username` and `secret` with the section of manager.conf, and its `deny`/`permit` with the address of the bridge; then `manager reload`.'),
  ZPB_AMI_BUSY: entry('Asterisk does not take what is sent to it.', 'Look at the load of the PBX. Events are still read.'),
  ZPB_AMI_CLOSED: entry('Asterisk closed the connection.', `${BY_ITSELF} If it repeats: Asterisk restarts, or its \`writetimeout\` or \`authlimit\` is too small.`),
  ZPB_AMI_CONNECT: entry('No connection to the manager interface.', 'Check that Asterisk runs, that `enabled = yes`, `bindaddr` and `port` in manager.conf, and the firewall.'),
  ZPB_AMI_IN_USE: entry('The login is already in use, and Asterisk allows it only once.', 'Give each program its own login, or set `allowmultiplelogin = yes` in manager.conf.'),
  ZPB_AMI_LIST: entry('A list that was asked for (channels, bridges) came incomplete. No call is closed because of it.', BY_ITSELF),
  ZPB_AMI_LOGIN: entry('Asterisk refused the login for another reason than user and secret.', "Check the login's section in manager.conf."),
  ZPB_AMI_LOGIN_TIMEOUT: entry('Asterisk did not answer the login.', 'Look whether Asterisk is stuck or still starting.'),
  ZPB_AMI_NO_SNAPSHOT: entry('Asterisk gave no whole list of its channels when it was asked whether all calls are still there.', BY_ITSELF),
  ZPB_AMI_PROTOCOL: entry('What answers at this address is no Asterisk manager interface.', 'Check `host` and `port`; 5038 is the usual port.'),
  ZPB_AMI_REFUSED: entry('Asterisk refused an action.', 'Give the login the read and write classes of the admin guide in manager.conf, then `manager reload`.'),
  ZPB_AMI_SILENT: entry('The PBX sent nothing, not even the answer to a Ping.', `${BY_ITSELF} The machine or the network in between is gone.`),
  ZPB_AMI_STOPPED: entry('The connection was closed because the bridge stops.', 'Nothing.'),
  ZPB_AMI_TIMEOUT: entry('Asterisk did not answer an action in time.', 'Look at the load of the PBX.'),
  ZPB_AMI_TLS: entry("The PBX's certificate is not trusted, or the port does not speak TLS.", "Give the certificate's authority and name under `tls`, and the port of `tlsbindaddr`."),
  ZPB_AMI_TOO_LONG: entry('The manager interface sent a message without end.', 'Check `host` and `port`; this is no message of Asterisk.'),
  ZPB_CONFIG: entry('The configuration cannot be used; every line names one setting. Exit status 78.', 'Mend what the lines say; `zammad-pbx-bridge check` reads the file without starting anything.'),
  ZPB_ESL_ACL: entry('FreeSWITCH does not let the address of the bridge in.', 'In event_socket.conf.xml name an ACL as `apply-inbound-acl` that allows this address (acl.conf.xml); then `reloadacl` and `reload mod_event_socket`.'),
  ZPB_ESL_AUTH: entry('FreeSWITCH refused the password.', 'Make `password` that of event_socket.conf.xml.'),
  ZPB_ESL_BUSY: entry('FreeSWITCH does not take what is sent to it.', 'Look at the load of the PBX. Events are still read.'),
  ZPB_ESL_CLOSED: entry('FreeSWITCH closed the connection.', `${BY_ITSELF} If it repeats: FreeSWITCH restarts, or mod_event_socket is reloaded.`),
  ZPB_ESL_COMMAND: entry('A command was not sent to FreeSWITCH because a value in it could be read as more than a value (line breaks, too long).', 'Correct the setting, or find the call, that the value comes from.'),
  ZPB_ESL_CONNECT: entry('No connection to the event socket.', 'Check that FreeSWITCH runs, that mod_event_socket is loaded, `listen-ip` and `listen-port` in event_socket.conf.xml, and the firewall.'),
  ZPB_ESL_LIST: entry('FreeSWITCH gave no whole list of its calls. No call is closed because of it.', BY_ITSELF),
  ZPB_ESL_LOGIN_TIMEOUT: entry('FreeSWITCH did not answer the login.', 'Look whether FreeSWITCH is stuck or still starting.'),
  ZPB_ESL_PROTOCOL: entry('What answers at this address is no event socket of FreeSWITCH.', 'Check `host` and `port`; 8021 is the usual port.'),
  ZPB_ESL_REFUSED: entry('FreeSWITCH refused a command.', 'Use the password of event_socket.conf.xml: a login of a single user may be allowed less.'),
  ZPB_ESL_SILENT: entry('The PBX sent nothing, not even the answer to a question.', `${BY_ITSELF} The machine or the network in between is gone.`),
  ZPB_ESL_STOPPED: entry('The connection was closed because the bridge stops.', 'Nothing.'),
  ZPB_ESL_TIMEOUT: entry('FreeSWITCH did not answer a command in time.', 'Look at the load of the PBX.'),
  ZPB_ESL_TLS: entry('The certificate of the proxy before FreeSWITCH is not trusted, or the port does not speak TLS.', "Give the certificate's authority and name under `tls`, and the port of the proxy."),
  ZPB_ESL_TOO_LONG: entry('The event socket sent a message without end.', 'Check `host` and `port`; this is no message of FreeSWITCH.'),
  ZPB_GATE_LISTEN: entry('The gate of a PBX cannot listen. Calls are heard all the same; none is asked about before phones ring.', 'Choose another `gate.port` (and the same in the dialplan), correct `gate.host`, or end the program that uses the port. It is tried again by itself.'),
  ZPB_GATE_REQUEST: entry('A call at the outbound socket of FreeSWITCH did not say what it is, or take what was said to it, in time, or the caller hung up meanwhile. The call goes on.', 'Nothing, if callers hang up. Else look at the load of FreeSWITCH, and at what else connects to `gate.port`.'),
  ZPB_HTTP_ADDRESS: entry("The bridge's own HTTP server cannot listen.", 'Choose another `http.host` or `http.port`, or end the program that uses it.'),
  ZPB_HTTP_BAD_REQUEST: entry('A request to the bridge cannot be understood.', 'Correct the client that sends it.'),
  ZPB_HTTP_INTERNAL: entry('The bridge could not answer a request.', DEFECT),
  ZPB_HTTP_MEDIA_TYPE: entry('A request has a content type that is not taken there.', 'Send what the documentation of that address asks for.'),
  ZPB_HTTP_NOT_FOUND: entry('There is nothing at the address that was asked for.', 'Check the path.'),
  ZPB_HTTP_STOPPING: entry('The bridge is stopping and takes no more requests.', 'Ask again in a moment.'),
  ZPB_HTTP_TOO_LARGE: entry('A request is larger than the bridge takes.', 'Send less at a time.'),
  ZPB_HTTP_TOO_SLOW: entry('A request did not arrive in time.', 'Look at the client or the network.'),
  ZPB_OUTBOX_CLOSED: entry('Something was to be kept after the outbox was closed.', DEFECT),
  ZPB_OUTBOX_FULL: entry('The outbox holds as much as it may; further posts are lost.', 'Mend the Zammad that does not take its posts, or the store that takes no writes.'),
  ZPB_OUTBOX_NO_SUCH_POST: entry('A post was settled that is not open.', DEFECT),
  ZPB_RECORDING: entry('A recording or its .times file cannot be read or written.', 'Give the path of a file that `record` wrote, or of a new one in a directory where this user may write.'),
  ZPB_STAND_IN_FAULTS: entry('The stand-in for Zammad was given too many faults to play.', 'Clear some first.'),
  ZPB_STAND_IN_LISTEN: entry('The stand-in for Zammad cannot listen.', 'Choose another port, or end the program that uses it.'),
  ZPB_STAND_IN_WAIT: entry('What was waited for at the stand-in for Zammad did not come.', 'Look at the log of the bridge.'),
  ZPB_STOPPED: entry('Something was given up because the bridge stops.', 'Nothing.'),
  ZPB_STORE_GONE: entry('The PostgreSQL database of the store cannot be reached. Calls are heard and kept in memory; nothing new is sent until it is back.', `${BY_ITSELF} Look at the database, the network and the role in \`store.url\`.`),
  ZPB_STORE_IN_USE: entry('Another bridge uses the store file.', 'End the other one, or give each its own `store.path`. Two machines that stand in for each other need PostgreSQL (`store.url`).'),
  ZPB_STORE_MEMORY: entry('A command needs the store of the bridge, which lives in its memory, where nobody else can see it.', 'Give `store.path` or `store.url`.'),
  ZPB_STORE_NEWER: entry('The store was written by a newer version of the bridge.', 'Start that version, or restore the backup from before the upgrade.'),
  ZPB_STORE_NOT_LEADING: entry('Another bridge speaks for this PBX by now, or the lead was given back: nothing more is written or sent for it here.', 'Nothing: the other bridge goes on.'),
  ZPB_STORE_OPEN: entry("The store's file cannot be opened, is not there yet, or its directory cannot be made.", 'Let the user of the bridge read and write `store.path` and its directory.'),
  ZPB_STORE_REFUSED: entry('The database refused what was asked of it.', 'The reason says it: password, role, database name, rights.'),
  ZPB_STORE_SPILLING: entry('The store file takes no writes (disk full, locked); they go to the emergency journal beside it, and nothing is lost by a crash.', 'Make room on the disk, or end the program that locks the file. The store is taken up again by itself.'),
  ZPB_STORE_SPILL_FULL: entry('The emergency journal beside the SQLite file is full, and the database takes no writes.', 'Free disk space, or end the program that holds the database locked. Until then new rows are in memory only.'),
  ZPB_STORE_SQLITE_MISSING: entry('The package better-sqlite3 cannot be loaded; it has a compiled part, which not every machine has.', 'Install it (`npm install better-sqlite3`), or give `store.url` of a PostgreSQL.'),
  ZPB_STORE_UNAVAILABLE: entry('The store cannot be used now: locked, disk full, failing, or slow.', `${BY_ITSELF} The reason stands in the message.`),
  ZPB_STORE_WORKER: entry("The store's worker thread has ended. What it was asked is asked of the next one.", BY_ITSELF),
  ZPB_USAGE: entry('The command line is wrong. Exit status 64.', '`zammad-pbx-bridge --help`, or `zammad-pbx-bridge COMMAND --help`.'),
  ZPB_ZAMMAD_CA_FILE: entry('The file of authorities for a Zammad cannot be read.', 'Correct `zammad[].caFile`: the path of a PEM file that the bridge may read.'),
  ZPB_ZAMMAD_UNKNOWN: entry('A post is for a Zammad that is not in the configuration.', 'Put the Zammad back into the configuration, or drop its posts.'),
  ZPB_ZAMMAD_URL: entry("A Zammad's address is no http or https URL.", "Paste it from Zammad's page Admin → System → Integrations → CTI (generic)."),
};
