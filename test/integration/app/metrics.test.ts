import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { freePort } from '../../lab/free-ports.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import type { FakeAmi } from '../../support/fake-ami.js';
import { entryOf, quietAsterisk, startWholeBridge } from '../../support/whole-bridge.js';

let zammad: StandIn;
let asterisk: FakeAmi;
beforeEach(async () => {
  zammad = await startStandIn();
  asterisk = await quietAsterisk();
});
afterEach(async () => {
  await asterisk.close();
  await zammad.stop();
});

test('/metrics counts what was told, and names no number', async () => {
  const port = await freePort();
  const bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad)],
    pbx: [{ name: 'office', port: asterisk.port }],
    httpPort: port,
  });
  try {
    await asterisk.loggedIn();
    await asterisk.play(readFileSync(new URL('../../../src/demo/calls/direct.ami', import.meta.url)), 10);
    await zammad.when(
      (now) => now.log()[0]?.state === 'hangup' && now.requests().every(({ state }) => state !== 'open'),
    );
    const response = await fetch(`http://127.0.0.1:${String(port)}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    for (const event of ['newCall', 'answer', 'hangup']) {
      expect(text).toContain(`zammad_posts_total{zammad="main",event="${event}",outcome="delivered"} 1`);
    }
    expect(text).toMatch(/^pbx_events_total\{pbx="office"\} \d+$/m);
    expect(text).not.toContain('1711234567');
  } finally {
    await bridge.stop();
  }
});
