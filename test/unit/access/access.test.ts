import { beforeEach, describe, expect, test } from '@jest/globals';
import { Access } from '../../../src/access/access.js';
import { hashOf, mint, readSecret } from '../../../src/access/secret-text.js';
import { MemoryCredentials } from '../../../src/store/memory-credentials.js';

let now: number;
let credentials: MemoryCredentials;
let access: Access;
const names = new Map([['100', 'Alice Agent']]);
beforeEach(() => {
  now = 1_000_000;
  credentials = new MemoryCredentials();
  const clock = { monotonic: () => now, wall: () => now, after: () => () => undefined };
  access = new Access({ credentials, clock, nameOf: (extension) => names.get(extension) });
});

async function tokenOf(agent: string): Promise<{ readonly text: string; readonly id: string }> {
  const { id, text, hash } = mint('token');
  await credentials.add({ id, kind: 'token', agent, hash, createdAt: now });
  return { text, id };
}

describe('tokens', () => {
  test('are random, known by their form, and kept as a hash only', async () => {
    const texts = Array.from({ length: 50 }, () => mint('token').text);
    expect(new Set(texts).size).toBe(50);
    for (const text of texts) expect(text).toMatch(/^zpb_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    const { text, id } = await tokenOf('100');
    const { secret } = readSecret('token', text)!;
    const kept = JSON.stringify(await credentials.tokens());
    expect(kept).toContain(hashOf(secret));
    expect(kept).not.toContain(secret);
    expect(await access.byToken(text)).toEqual({ agent: '100', name: 'Alice Agent', credential: id });
  });

  test('anything else is nobody', async () => {
    const { text, id } = await tokenOf('100');
    const other = mint('token');
    for (const wrong of [
      '',
      'x',
      text.slice(0, -1),
      `${text}x`,
      ` ${text}`,
      text.toUpperCase(),
      text.replace('zpb_', 'zps_'),
      other.text,
      // Somebody else's secret under a known id.
      `zpb_${id}_${readSecret('token', other.text)!.secret}`,
      "zpb_' or 1=1 --_x",
      'x'.repeat(100_000),
    ])
      expect([wrong.slice(0, 80), await access.byToken(wrong)]).toEqual([wrong.slice(0, 80), undefined]);
  });

  test('of an agent who is not configured any more are of no use', async () => {
    const { text } = await tokenOf('999');
    expect(await access.byToken(text)).toBeUndefined();
    expect(await access.signIn(text)).toBeUndefined();
  });
});

describe('sessions', () => {
  test('are begun with a token, and are no token', async () => {
    const { text } = await tokenOf('100');
    const session = (await access.signIn(text))!;
    expect(session.text).toMatch(/^zps_/);
    const seen = await access.bySession(session.text);
    expect(seen).toEqual({ agent: '100', name: 'Alice Agent', credential: session.credential, csrf: session.csrf });
    expect(await access.byToken(session.text)).toBeUndefined();
    expect(await access.bySession(text)).toBeUndefined();
    expect(await access.signIn(session.text)).toBeUndefined();
    // What the page knows does not give the cookie away.
    expect(session.text).not.toContain(session.csrf!);
    expect((await access.signIn(text))!.csrf).not.toBe(session.csrf);
  });

  test('a browser that signs in anew leaves no session behind; what is none, or nobody’s, stands in nobody’s way', async () => {
    const { text } = await tokenOf('100');
    const other = (await access.signIn(text))!;
    const first = (await access.signIn(text))!;
    expect(await access.signIn('zpb_wrong', first.text)).toBeUndefined();
    expect(await access.bySession(first.text)).toBeDefined();
    const second = (await access.signIn((await tokenOf('100')).text, first.text))!;
    expect(await access.bySession(first.text)).toBeUndefined();
    // Its id alone is no key to it.
    const forged = `zps_${other.credential}_${readSecret('session', second.text)!.secret}`;
    for (const before of ['', 'x', text, forged, first.text]) expect(await access.signIn(text, before)).toBeDefined();
    for (const { text: session } of [other, second]) expect(await access.bySession(session)).toBeDefined();
  });

  test('end with their time, by signing out, and with the token', async () => {
    const { text, id } = await tokenOf('100');
    const [first, second, third] = [
      (await access.signIn(text))!,
      (await access.signIn(text))!,
      (await access.signIn(text))!,
    ];
    await access.signOut(first);
    expect(await access.bySession(first.text)).toBeUndefined();
    expect(await access.bySession(second.text)).toBeDefined();
    now += second.lasts;
    expect(await access.bySession(second.text)).toBeUndefined();
    now -= second.lasts;
    await credentials.revoke(id);
    expect(await access.bySession(third.text)).toBeUndefined();
    expect(await access.signIn(text)).toBeUndefined();
  });
});
