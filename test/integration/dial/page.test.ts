/** The agent's page in a real browser, where this machine has one. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumPath, startChromium, type Browser, type Page } from '../../support/chromium.js';
import { startDialBench, type DialBench } from '../../support/dial-bench.js';
import { waitFor } from '../../support/wait-for.js';

const chromium = chromiumPath();
/** A run without a browser says so: the test is counted as skipped, and its name says why. */
const inBrowser = (name: string, run: () => Promise<void>): void => {
  if (chromium === undefined) test.skip(`${name} (there is no chromium on this machine)`, run);
  else test(name, run, 30_000);
};

let browser: Browser | undefined;
let bench: DialBench;
let token: { readonly text: string; readonly id: string };
beforeAll(async () => {
  if (chromium !== undefined) browser = await startChromium(chromium);
}, 60_000);
afterAll(async () => {
  await browser?.close();
});
beforeEach(async () => {
  bench = await startDialBench();
  token = await bench.tokenOf('100');
});
afterEach(async () => {
  await bench.close();
});

const result = `document.querySelector('#result:not([hidden])')?.dataset.kind + ': ' + document.querySelector('#result-text').textContent`;
const shown = (id: string): string => `!document.querySelector('#${id}').hidden`;
const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['ZPB_SCREENSHOTS'];
  if (folder !== undefined) writeFileSync(join(folder, `${name}.png`), await page.screenshot());
};
async function signedIn(page: Page): Promise<void> {
  await page.until(shown('sign-in'));
  await page.type(token.text);
  await page.press('Enter');
  await page.until(shown('dial'));
  await page.until(readyToDial);
}
/** Nobody who has just come is taken at his word. */
const readyToDial = `document.querySelector('#dial').dataset.quiet === undefined`;
const ordered = (count: number): Promise<unknown> =>
  waitFor('the order to reach the PBX', () => bench.pbx.orders.length === count);

inBrowser('sign in, number from a link, Enter dials, the result in words, sign out', async () => {
  const page = await browser!.page();
  await page.goto(`${bench.url}/dial#number=tel%3A%2B49%252030%2520123456`);
  await shot(page, 'sign-in');
  await signedIn(page);
  expect(await page.evaluate('document.querySelector("#who-name").textContent')).toBe('Alice Agent (100)');
  expect(await page.evaluate('document.querySelector("#number").value')).toBe('+49 30 123456');
  // Nothing of the customer or the token stays in the address, the page's storage, or where scripts can read.
  expect(await page.evaluate('location.href')).toBe(`${bench.url}/dial`);
  expect(await page.evaluate('document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)')).toBe(
    '{}{}',
  );
  expect(bench.pbx.orders).toEqual([]);
  await shot(page, 'number');
  await page.press('Enter');
  await ordered(1);
  expect(await page.evaluate(result)).toBe('wait: Your phone rings …');
  await shot(page, 'rings');
  // One press is one call.
  await page.press('Enter');
  bench.pbx.refuse('declined', '603 Decline');
  await page.until(`${result} === 'bad: Declined at your phone.'`);
  expect(await page.evaluate('document.querySelector("#result-more").textContent')).toBe('The PBX says: 603 Decline');
  await shot(page, 'declined');
  await page.press('Enter');
  await ordered(2);
  bench.pbx.take();
  await page.until(`${result} === 'good: Taken. The number is being dialled.'`);
  await shot(page, 'taken');
  expect(bench.pbx.orders.map(({ number }) => number)).toEqual(['030123456', '030123456']);
  await page.evaluate('document.querySelector("#sign-out").click()');
  await page.until(shown('sign-in'));
  // The browser itself notes every status that is an error's.
  expect(page.complaints.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
});

inBrowser('a browser stays signed in until its token is revoked; German; dark', async () => {
  const page = await browser!.page({ language: 'de-DE', dark: true });
  await page.goto(`${bench.url}/dial`);
  await signedIn(page);
  // As browsers were told to by earlier versions of the page.
  await page.goto(`${bench.url}/dial?number=112`);
  await page.until(shown('dial'));
  await page.until(readyToDial);
  expect(
    await page.evaluate('document.documentElement.lang + document.querySelector("#dial-button").textContent'),
  ).toBe('deWählen');
  await page.press('Enter');
  await page.until(`${result} === 'bad: Notrufnummern wählen Sie bitte am Telefon selbst.'`);
  await shot(page, 'german-dark');
  await page.evaluate(`document.querySelector('#number').value = '030123456'`);
  await page.press('Enter');
  await ordered(1);
  bench.pbx.refuse('failed');
  await page.until(`${result} === 'bad: Die Telefonanlage konnte das nicht.'`);
  // Why, the bridge says in English only.
  expect(await page.evaluate('document.querySelector("#result-more").textContent')).toBe(
    'The PBX could not do it: the PBX says failed',
  );
  await bench.credentials.revoke(token.id);
  await page.press('Enter');
  await page.until(shown('sign-in'));
  expect(bench.pbx.orders).toHaveLength(1);
});

inBrowser(
  'every control has a name and can be reached with the keyboard; the link handler can be asked for',
  async () => {
    const page = await browser!.page();
    await page.goto(`${bench.url}/dial`);
    await signedIn(page);
    await page.until(shown('agent-switches'));
    const reached: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      reached.push(await page.evaluate('document.activeElement.id'));
      await page.press('Tab');
    }
    // Between the last and the first the browser's own controls have their turn.
    expect(reached.filter((id) => id !== '')).toEqual(['number', 'dial-button', 'dnd', 'register', 'sign-out']);
    const unnamed = `[...document.querySelectorAll('button, input')].filter((one) =>
    one.textContent.trim() === '' && document.querySelector('label[for="' + one.id + '"]') === null).length`;
    expect(await page.evaluate(unnamed)).toBe(0);
    await page.evaluate(`navigator.registerProtocolHandler = (scheme, url) => { window.asked = [scheme, url]; }`);
    await page.evaluate('document.querySelector("#register").click()');
    expect(await page.evaluate('window.asked')).toEqual(['tel', `${bench.url}/dial#number=%s`]);
  },
);

inBrowser('a click on a link brings its number, and no server sees it', async () => {
  const page = await browser!.page({ acceptsHandlers: true });
  await page.goto(`${bench.url}/dial`);
  await signedIn(page);
  await page.evaluate('document.querySelector("#register").click()');
  await page.goto(`${bench.url}/healthz`);
  await page.evaluate(`{
    const link = document.createElement('a');
    link.href = 'tel:+49 30 765432';
    document.body.append(link);
    link.click();
  }`);
  await page.until(`location.pathname === '/dial' && (document.querySelector('#number')?.value ?? '') !== ''`);
  expect(await page.evaluate('document.querySelector("#number").value')).toBe('+49 30 765432');
  const asked = page.requests.filter((url) => url.includes('/dial') && !url.includes('/dial/'));
  expect(asked.map((url) => url.replace(/#.*/, '#'))).toEqual([`${bench.url}/dial`, `${bench.url}/dial#`]);
  expect(asked.join('')).not.toContain('?');
});

inBrowser('who has just come here, or was brought here while he typed, dials nothing', async () => {
  const page = await browser!.page();
  await page.goto(`${bench.url}/dial`);
  await signedIn(page);
  await page.evaluate(`document.querySelector('#number').value = '030123456'`);
  await page.evaluate(`{
    window.dispatchEvent(new Event('focus'));
    document.querySelector('#dial').requestSubmit();
    location.hash = 'number=030123457';
  }`);
  await page.until(`document.querySelector('#number').value === '030123457'`);
  await page.until(readyToDial);
  expect(bench.pbx.orders).toEqual([]);
  expect(
    await page.evaluate(`document.querySelector('#number').dispatchEvent(
      new KeyboardEvent('keydown', { key: 'Enter', repeat: true, bubbles: true, cancelable: true }))`),
  ).toBe(false);
  await page.press('Enter');
  await ordered(1);
  expect(bench.pbx.orders[0]).toMatchObject({ number: '030123457' });
});

inBrowser(
  'a number that comes to a page which is there already has the focus, and nothing said of the last one stands below',
  async () => {
    const page = await browser!.page();
    await page.goto(`${bench.url}/dial#number=tel:112`);
    await signedIn(page);
    await page.until(readyToDial);
    await page.press('Enter');
    await page.until(shown('result'));
    await page.evaluate(`document.querySelector('#dnd').focus()`);
    await page.evaluate(`location.hash = 'number=030123457'`);
    await page.until(`document.querySelector('#number').value === '030123457'`);
    expect(await page.evaluate(shown('result'))).toBe(false);
    expect(await page.evaluate('document.activeElement.id')).toBe('number');
  },
);

inBrowser('Esc goes back to where the link was clicked', async () => {
  const page = await browser!.page();
  await page.goto(`${bench.url}/healthz`);
  await page.goto(`${bench.url}/dial#number=tel:030123456`);
  await page.until(shown('sign-in'));
  await page.press('Escape');
  await page.until(`location.pathname === '/healthz'`);
});

inBrowser('the switch "do not disturb" sets it, and shows what was set elsewhere', async () => {
  const page = await browser!.page();
  await page.goto(`${bench.url}/dial`);
  await signedIn(page);
  await page.until(shown('agent-switches'));
  const checked = `document.querySelector('#dnd').getAttribute('aria-checked')`;
  expect(await page.evaluate(checked)).toBe('false');
  await page.evaluate(`document.querySelector('#dnd').click()`);
  await page.until(`${checked} === 'true'`);
  expect(bench.availability.state('100')).toMatchObject({ state: 'do-not-disturb', by: 'page' });
  await shot(page, 'do-not-disturb');
  await bench.availability.set('100', 'available', 'api');
  // As when the tab is looked at again.
  await page.evaluate(`document.dispatchEvent(new Event('visibilitychange'))`);
  await page.until(`${checked} === 'false'`);
  expect(page.complaints.filter((text) => !/status of 4\d\d/.test(text))).toEqual([]);
});
