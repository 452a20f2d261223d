/**
 * Who holds a lead, in a text that another process can judge: is that process still alive? Sure only on the same machine and in the
 * same process namespace (containers that share a host name do not share process numbers).
 */
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * `self`: this very store. `alive`, `gone`: a process of this machine that runs, or surely does not. `elsewhere`: another machine, or
 * not to be judged from here; only time tells.
 */
export type Verdict = 'self' | 'alive' | 'gone' | 'elsewhere';

/**
 * @param name of the machine.
 * @param nonce tells stores of one process apart.
 */
export function holderText(name: string, nonce: string): string {
  const label = name.replace(/\s+/g, '-');
  const { boot, space } = place();
  return `${label} pid ${process.pid} started ${startOf(process.pid)?.start ?? '-'} boot ${boot} space ${space} store ${nonce}`;
}

const SHAPE = /^(?<label>\S+) pid (?<pid>\d+) started (?<start>\S+) boot (?<boot>\S+) space (?<space>\S+) store \S+$/;

/** What people need to know of it: `host pid 12`. */
export const shortHolder = (text: string): string => /^\S+ pid \d+/.exec(text)?.[0] ?? text;

export function judgeHolder(text: string, mine: string): Verdict {
  if (text === mine) return 'self';
  const other = SHAPE.exec(text)?.groups;
  const own = SHAPE.exec(mine)?.groups;
  if (other === undefined || own === undefined) return 'elsewhere';
  if (other['label'] !== own['label'] || other['boot'] !== own['boot'] || other['space'] !== own['space'])
    return 'elsewhere';
  // Where /proc shows processes only (systemd's ProcSubset=pid), two machines of one name cannot be told apart.
  if (own['boot'] === '-' && own['start'] !== '-') return 'elsewhere';
  const pid = Number(other['pid']);
  if (own['start'] === '-') return answersSignals(pid) ? 'alive' : 'gone';
  const now = startOf(pid);
  return now?.start === other['start'] && !now?.ended ? 'alive' : 'gone';
}

/** When a process started, in ticks since the machine did: proc(5), field 22 of stat; field 3 says whether it only waits to be reaped. */
function startOf(pid: number): { readonly start: string; readonly ended: boolean } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold anything, brackets and blanks too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, start] = [fields[0], fields[19]];
    return start === undefined ? undefined : { start, ended: state === 'Z' || state === 'X' };
  } catch {
    return undefined;
  }
}

function place(): { readonly boot: string; readonly space: string } {
  return {
    boot: orDash(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()),
    space: orDash(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')),
  };
}

function orDash(read: () => string): string {
  try {
    return read();
  } catch {
    return '-';
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // Not ours to signal, but there.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
