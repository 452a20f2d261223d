import { test } from '@jest/globals';
import { playableCases } from '../../faults/case-facts.js';
test('x', () => {
  const out: string[] = [];
  for (const c of playableCases()) for (const k of c.calls) {
    const told = k.told.answers.map((a) => a.by ?? 'customer');
    const talks = k.talks.map((t) => `${t.who}[${t.from}-${t.to}]`).join(' ');
    const collapsed = k.talks.map((t) => t.who).filter((w, i, a) => w !== a[i - 1]);
    const flag = k.truth.direction === 'in' && JSON.stringify(collapsed.filter((w) => w !== 'outside')) !== JSON.stringify(told.filter((w) => w !== 'voicemail' && w !== 'customer')) ? '  <<<<' : '';
    out.push(`${c.name} ${k.truth.direction} ${k.begins},${k.known}-${k.ends} told ${told.join('>')} ${k.told.row.comment} talks ${talks}${flag}`);
  }
  process.stdout.write(out.join('\n') + '\n');
});
