/** The agent's page: signs in, shows a number, has it dialled by one key, says what became of it. */
import { createSwitch } from './switch.js';
import { languageOf, TEXTS } from './texts.js';

const language = languageOf(navigator.languages);
const texts = TEXTS[language];
const at = (id) => document.getElementById(id);
const show = (element, visible) => {
  element.hidden = !visible;
};

/** A question to the bridge takes so long at most, ms; a call rings meanwhile. */
const SHORT = 10_000;
const RINGING = 70_000;

/** Who comes here by a click, or to whom another page brings this one, may be typing still: so long nothing is dialled, ms. */
const QUIET = 400;

/** Of the session; no other page can know it. */
let csrf;
let dialling = false;
let quiet;

async function ask(method, path, body, limit = SHORT) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (csrf !== undefined) headers['x-csrf-token'] = csrf;
  const response = await fetch(`/api/v1${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(limit),
    credentials: 'same-origin',
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
}

function keepQuiet() {
  clearTimeout(quiet);
  at('dial').dataset.quiet = '';
  quiet = setTimeout(() => {
    delete at('dial').dataset.quiet;
  }, QUIET);
}

/** `kind`: wait, good or bad. */
function say(kind, text, more = '') {
  at('result').dataset.kind = kind;
  at('result-text').textContent = text;
  at('result-more').textContent = more;
  show(at('result-more'), more !== '');
  show(at('result'), text !== '');
}

const dnd = createSwitch({
  button: at('dnd'),
  hint: at('dnd-hint'),
  ask,
  texts,
  onShown: (visible) => show(at('agent-switches'), visible),
  onSignedOut: signedOut,
});

function signedOut() {
  csrf = undefined;
  dnd.stop();
  for (const id of ['who', 'dial', 'links', 'agent-switches']) show(at(id), false);
  show(at('sign-in'), true);
  at('token').value = '';
  at('token').focus();
}

function signedIn({ agent, name, csrf: proof }) {
  csrf = proof;
  keepQuiet();
  at('who-name').textContent = `${name} (${agent})`;
  show(at('sign-in'), false);
  for (const id of ['who', 'dial', 'links']) show(at(id), true);
  at('number').focus();
  dnd.start(agent);
}

/**
 * The number behind `#number=`, as a browser hands over a link: `tel:%2B49…`. What it means is judged by the bridge. No server gets to
 * see what stands there, and so no log; behind `?number=` browsers bring it that were told so once.
 */
function numberInAddress() {
  const behind = (part) => new URLSearchParams(part.slice(1).replaceAll('+', '%2B')).get('number');
  const given = behind(location.hash) ?? behind(location.search) ?? '';
  const bare = given.replace(/^tel:(\/\/)?/i, '');
  if (bare === given) return given;
  try {
    return decodeURIComponent(bare);
  } catch {
    return bare;
  }
}

async function look() {
  try {
    const { status, body } = await ask('GET', '/session');
    if (status === 200) signedIn(body);
    else if (status === 401) signedOut();
    else say('bad', texts.notReached, body.error?.message);
  } catch {
    say('bad', texts.notReached);
  }
}

at('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = at('token').value.trim();
  if (token === '') return;
  try {
    const { status, body } = await ask('POST', '/session', { token });
    if (status === 200) {
      say('good', '');
      at('token').value = '';
      signedIn(body);
    } else {
      say('bad', status === 401 ? texts.wrongToken : texts.failed, status === 401 ? '' : body.error?.message);
      at('token').select();
    }
  } catch {
    say('bad', texts.notReached);
  }
});

at('sign-out').addEventListener('click', async () => {
  try {
    await ask('DELETE', '/session');
    say('good', texts.signedOut);
    signedOut();
  } catch {
    say('bad', texts.notReached);
  }
});

at('dial').addEventListener('submit', async (event) => {
  event.preventDefault();
  const number = at('number').value.trim();
  if (number === '' || dialling || at('dial').dataset.quiet !== undefined) return;
  dialling = true;
  at('dial-button').disabled = true;
  say('wait', texts.ringing);
  try {
    const { status, body } = await ask('POST', '/calls', { number }, RINGING);
    if (status === 401) {
      say('bad', texts.signedOut);
      signedOut();
    } else tell(body);
  } catch {
    say('bad', texts.notKnown);
  } finally {
    dialling = false;
    at('dial-button').disabled = false;
  }
});

function tell(answer) {
  const text = texts.reasons[answer.reason];
  const more = [
    text === undefined || Object.hasOwn(TEXTS.en.reasons, answer.reason) ? undefined : answer.words,
    answer.said === undefined ? undefined : `${texts.pbxSays} ${answer.said}`,
    answer.leftOut === undefined ? undefined : `${texts.leftOut} ${answer.leftOut}`,
  ].filter((part) => part !== undefined);
  say(
    answer.status === 'done' ? 'good' : 'bad',
    text ?? answer.words ?? answer.error?.message ?? texts.failed,
    more.join(' · '),
  );
}

at('register').addEventListener('click', () => {
  try {
    navigator.registerProtocolHandler('tel', `${location.origin}/dial#number=%s`);
    at('register-hint').textContent = texts.registered;
  } catch {
    at('register-hint').textContent = texts.cannotRegister;
  }
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  // The tab of the click goes back to where it was; a tab of its own closes.
  if (history.length > 1) history.back();
  else window.close();
});

document.documentElement.lang = language;
document.title = texts.title;
for (const element of document.querySelectorAll('[data-text]')) element.textContent = texts[element.dataset.text];
function takeNumber() {
  at('number').value = numberInAddress();
  // The number of a customer has no business in the list of visited pages.
  if (location.search + location.hash !== '') history.replaceState(null, '', location.pathname);
}
takeNumber();
// The page is there already.
window.addEventListener('hashchange', () => {
  keepQuiet();
  takeNumber();
  // What was said of the last number is not said of this one; and Enter is for it, not for what was touched last.
  if (!dialling) say('good', '');
  at('number').focus();
});
window.addEventListener('focus', keepQuiet);
window.addEventListener('pageshow', keepQuiet);
// A key that was pressed elsewhere, and is still held.
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.repeat) event.preventDefault();
});
void look();
