// The stand-in's page: one WebSocket in, DOM out. Every value from outside is set as text.
const SHOWN_ROWS = 200;
const SHOWN_REQUESTS = 100;
const RETRY_FIRST = 500;
const RETRY_MOST = 5000;

const byId = (id) => document.getElementById(id);
const rows = new Map(); // id -> { row, view }
const requests = new Map(); // seq -> { entry, view }
const ringing = new Map(); // id -> view
let offset = 0; // the stand-in's clock minus this one's

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

function element(tag, className = '', text = '') {
  const node = document.createElement(tag);
  if (className !== '') node.className = className;
  if (text !== '') node.textContent = text;
  return node;
}
const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};
const setClass = (node, className) => {
  if (node.className !== className) node.className = className;
};
const now = () => Date.now() + offset;

/** 0:07, 12:30, 1:02:03 */
function span(seconds) {
  const two = (value) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
const since = (at) => span(Math.max(0, (now() - at) / 1000));

const isMissed = (row) => !row.done && row.state === 'hangup';
const isRinging = (row) => row.state === 'newCall' && !row.done;

/** Who is who in a row: Zammad's from and to, seen from the agents. */
function parties(row) {
  const inbound = row.direction === 'in';
  const from = row.fromPretty === '' ? row.from : row.fromPretty;
  const to = row.toPretty === '' ? row.to : row.toPretty;
  const customer = inbound ? from : to;
  return {
    customer: customer === '' ? '(empty)' : customer,
    name: (inbound ? row.fromComment : row.toComment) ?? '',
    number: inbound ? to : from,
    agents: (inbound ? row.toComment : row.fromComment) ?? '',
    queue: row.queue !== null && row.queue !== row.to && row.queue !== row.from ? row.queue : '',
  };
}

function rowView() {
  const line = element('tr', 'fresh');
  const cell = (className = '') => line.appendChild(element('td', className));
  const direction = cell();
  const arrow = direction.appendChild(element('span', 'arrow'));
  arrow.ariaHidden = 'true';
  const spoken = direction.appendChild(element('span', 'unseen'));
  const customerCell = cell();
  const customer = customerCell.appendChild(element('b'));
  const name = customerCell.appendChild(element('span', 'under'));
  const number = cell('digits');
  const agentsCell = cell();
  const agents = agentsCell.appendChild(element('span'));
  const queue = agentsCell.appendChild(element('span', 'under'));
  const state = cell().appendChild(element('span', 'state'));
  const time = cell('time').appendChild(element('time'));
  const waited = cell('number');
  const talked = cell('number');
  return { line, arrow, spoken, customer, name, number, agents, queue, state, time, waited, talked };
}

function showRow(row, view) {
  const who = parties(row);
  const missed = isMissed(row);
  const kind = missed ? 'missed' : row.state === 'newCall' ? 'ringing' : row.state === 'answer' ? 'connected' : '';
  view.line.classList.remove('missed', 'ringing', 'connected');
  if (kind !== '') view.line.classList.add(kind);
  view.line.title = row.callId;
  setText(view.arrow, row.direction === 'in' ? '↙' : '↗');
  setText(view.spoken, row.direction === 'in' ? 'inbound' : 'outbound');
  setText(view.customer, who.customer);
  setText(view.name, who.name);
  setText(view.number, who.number);
  setText(view.agents, who.agents);
  setText(view.queue, who.queue === '' ? '' : `queue ${who.queue}`);
  // Zammad shows no word after a normal end.
  const words = missed ? ['missed', row.status] : [row.status === '' ? 'ended' : row.status];
  setText(view.state, words.filter((word) => word !== '').join(' · '));
  setClass(view.state, `state ${kind}`.trim());
  setText(view.time, clock.format(row.initializedAt));
  view.time.dateTime = new Date(row.initializedAt).toISOString();
  view.time.title = whole.format(row.initializedAt);
  showDurations(row, view);
}

function showDurations(row, view) {
  const waiting = row.durationWaitingTime ?? undefined;
  setText(view.waited, row.state === 'newCall' ? since(row.initializedAt) : waiting === undefined ? '' : span(waiting));
  const talking = row.durationTalkingTime ?? undefined;
  setText(view.talked, row.state === 'answer' ? since(row.startAt) : talking === undefined ? '' : span(talking));
}

/** True = older than everything on a full page; it had its time there. */
const isPast = (map, key, most) => map.size >= most && key < map.keys().next().value;

function takeRow(row, isNews) {
  let held = rows.get(row.id);
  if (held === undefined) {
    if (isPast(rows, row.id, SHOWN_ROWS)) return;
    held = { row, view: rowView() };
    byId('rows').prepend(held.view.line);
    rows.set(row.id, held);
  }
  held.row = row;
  showRow(row, held.view);
  takeRinging(row, isNews);
  for (const [id, oldest] of rows) {
    if (rows.size <= SHOWN_ROWS) break;
    oldest.view.line.remove();
    rows.delete(id);
    dropRinging(id);
  }
}

function takeRinging(row, isNews) {
  if (!isRinging(row)) {
    dropRinging(row.id);
    return;
  }
  if (ringing.has(row.id)) return;
  const who = parties(row);
  const item = element('li');
  item.append(
    element('b', '', who.name === '' ? who.customer : who.name),
    element('span', '', who.name === '' ? '' : who.customer),
    element('span', '', `for ${who.agents === '' ? who.number : who.agents}`),
    element('span', 'since'),
  );
  byId('ringing').prepend(item);
  ringing.set(row.id, { item, since: item.lastChild, at: row.initializedAt });
  if (isNews) setText(byId('announcer'), `Inbound call from ${who.name === '' ? who.customer : who.name}`);
}

function dropRinging(id) {
  ringing.get(id)?.item.remove();
  ringing.delete(id);
}

function requestView() {
  const item = element('li');
  const box = item.appendChild(element('details'));
  const summary = box.appendChild(element('summary'));
  const part = (className) => summary.appendChild(element('span', className));
  const view = {
    item,
    time: part('time'),
    status: part('status'),
    event: part(''),
    id: part('id'),
    note: part('note'),
    body: element('pre'),
  };
  box.append(view.body);
  return view;
}

function showRequest(entry, view) {
  setText(view.time, clock.format(entry.at));
  const open = entry.state === 'open';
  setText(view.status, open ? '…' : entry.status === null ? 'cut' : String(entry.status));
  setClass(
    view.status,
    `status ${open ? 'open' : entry.status === 200 && entry.state === 'replied' ? '' : 'bad'}`.trim(),
  );
  setText(view.event, entry.event ?? entry.method);
  setText(view.id, entry.callId ?? entry.path);
  const notes = [
    entry.fault === undefined ? '' : `fault: ${entry.fault}`,
    entry.overlapped ? 'overlaps another post of this call' : '',
    entry.state === 'client-gone' ? 'the client went' : '',
    entry.took === null ? '' : `${Math.round(entry.took)} ms`,
  ];
  setText(view.note, notes.filter((note) => note !== '').join(' · '));
  const sent = entry.params === undefined ? '' : JSON.stringify(entry.params, null, 2);
  setText(
    view.body,
    `${entry.method} ${entry.path}\n${entry.contentType ?? ''}\n${sent}\n\n${entry.status ?? 'no status'}\n${entry.reply}`,
  );
}

function takeRequest(entry) {
  let held = requests.get(entry.seq);
  if (held === undefined) {
    if (isPast(requests, entry.seq, SHOWN_REQUESTS)) return;
    held = { entry, view: requestView() };
    byId('requests').prepend(held.view.item);
    requests.set(entry.seq, held);
  }
  held.entry = entry;
  showRequest(entry, held.view);
  for (const [seq, oldest] of requests) {
    if (requests.size <= SHOWN_REQUESTS) break;
    oldest.view.item.remove();
    requests.delete(seq);
  }
}

function showCounts(message) {
  const held = [...rows.values()].map(({ row }) => row);
  const missed = held.filter(isMissed).length;
  setText(byId('count-ringing'), String(held.filter((row) => row.state === 'newCall').length));
  setText(byId('count-connected'), String(held.filter((row) => row.state === 'answer').length));
  setText(byId('count-missed'), String(missed));
  setText(byId('count-open'), String(message.open));
  setText(byId('count-total'), String(message.total));
  byId('count-missed').parentElement.classList.toggle('some', missed > 0);
  byId('rows-none').hidden = rows.size > 0;
  byId('ringing-none').hidden = ringing.size > 0;
  setText(byId('requests-count'), String(requests.size));
  document.title = message.open > 0 ? `(${message.open}) Caller log (stand-in)` : 'Caller log (stand-in)';
}

function forget() {
  for (const id of [...ringing.keys()]) dropRinging(id);
  rows.clear();
  requests.clear();
  byId('rows').replaceChildren();
  byId('requests').replaceChildren();
}

function take(message) {
  offset = message.now - Date.now();
  // After a reconnect the whole state comes: what was shown before may be another run's.
  if (message.type === 'state') forget();
  for (const row of message.rows) takeRow(row, message.type === 'change');
  for (const entry of message.requests) takeRequest(entry);
  showCounts(message);
  tick();
}

function tick() {
  for (const { row, view } of rows.values()) if (row.state !== 'hangup') showDurations(row, view);
  for (const { since: node, at } of ringing.values()) setText(node, `ringing for ${since(at)}`);
}

function showConnection(live) {
  const node = byId('connection');
  node.dataset.state = live ? 'live' : 'off';
  setText(node, live ? 'live' : 'reconnecting');
}

function connect(wait) {
  const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/stand-in/live`);
  let next = Math.min(wait * 2, RETRY_MOST);
  socket.addEventListener('open', () => {
    next = RETRY_FIRST;
    showConnection(true);
  });
  socket.addEventListener('message', (event) => take(JSON.parse(event.data)));
  socket.addEventListener('close', () => {
    showConnection(false);
    setTimeout(() => connect(next), wait);
  });
}

connect(RETRY_FIRST);
setInterval(tick, 1000);
