/** The switch "do not disturb": shows how it is, also when it was set elsewhere, and sets it. */

/** How often a page that is looked at asks how it is, ms. */
const EVERY = 10_000;

/** `onShown`: whether there is anything to switch. */
export function createSwitch({ button, hint, ask, texts, onShown, onSignedOut }) {
  let path;
  let timer;
  let busy = false;

  const tell = ({ state, pbx = [] }) => {
    const on = state === 'do-not-disturb';
    button.setAttribute('aria-checked', String(on));
    const refused = pbx.find(({ outcome }) => outcome === 'refused');
    const later = pbx.find(({ outcome }) => outcome === 'later');
    const trouble = refused === undefined ? later && texts.dndLater : `${texts.dndRefused} ${refused.reason ?? ''}`;
    hint.textContent = [on ? texts.dndOn : texts.dndOff, trouble].filter((part) => part !== undefined).join(' ');
  };

  /** What was asked before a sign-out is nobody's any more. */
  const request = async (method, body) => {
    const asked = path;
    const answer = await ask(method, asked, body);
    if (asked !== path) return undefined;
    if (answer.status === 401) onSignedOut();
    return answer;
  };

  const look = async () => {
    if (path === undefined || busy || document.hidden) return;
    try {
      const answer = await request('GET');
      if (answer === undefined || busy || answer.status === 401) return;
      onShown(answer.status === 200);
      if (answer.status === 200 && (answer.body.state === 'do-not-disturb') !== isOn()) tell(answer.body);
    } catch {
      // The next look may find it.
    }
  };
  const isOn = () => button.getAttribute('aria-checked') === 'true';

  button.addEventListener('click', async () => {
    if (busy || path === undefined) return;
    busy = true;
    button.disabled = true;
    try {
      const answer = await request('PUT', { state: isOn() ? 'available' : 'do-not-disturb' });
      if (answer?.status === 200) tell(answer.body);
      else if (answer !== undefined && answer.status !== 401)
        hint.textContent = answer.body.error?.message ?? texts.failed;
    } catch {
      hint.textContent = texts.notReached;
    } finally {
      busy = false;
      button.disabled = false;
      button.focus();
    }
  });
  document.addEventListener('visibilitychange', () => void look());

  return {
    start(agent) {
      path = `/agents/${encodeURIComponent(agent)}/state`;
      clearInterval(timer);
      timer = setInterval(() => void look(), EVERY);
      void look();
    },
    stop() {
      path = undefined;
      clearInterval(timer);
      tell({ state: 'available' });
    },
  };
}
