/** What must not outlive the harness, however it ends: processes, mounted disks. Done synchronously, the latest first. */
const tasks = new Set<() => void>();

/** Returns the function that forgets it: it was done in another way. */
export function atExit(task: () => void): () => void {
  tasks.add(task);
  return () => void tasks.delete(task);
}

/** To be called once. */
export function endCleanly(): void {
  process.once('exit', () => {
    for (const task of [...tasks].reverse()) task();
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      process.exit(130);
    });
}
