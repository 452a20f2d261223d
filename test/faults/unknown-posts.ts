import type { Bridge } from './bridge.js';

export interface ListedPost {
  readonly callId: string;
  readonly event: string;
}

/** The posts that the bridge lists as of unknown outcome, or has given up: with `outbox list`, or, without it, by its log. */
export async function unknownPosts(
  bridge: Bridge,
): Promise<{ readonly unknown: readonly ListedPost[]; readonly dead: readonly ListedPost[] }> {
  const listed = await bridge.command('outbox', 'list', '--json');
  if (listed !== undefined) return ofList(listed);
  const of = (text: string): readonly ListedPost[] =>
    bridge
      .log()
      .filter((line) => typeof line['msg'] === 'string' && line['msg'].startsWith(text))
      .map((line) => ({ callId: String(line['callId']), event: String(line['event']) }));
  return { unknown: of('Nobody can say whether Zammad'), dead: of('Gave up') };
}

function ofList(json: string): { unknown: readonly ListedPost[]; dead: readonly ListedPost[] } {
  const parsed = JSON.parse(json) as unknown;
  const posts = (Array.isArray(parsed) ? parsed : (parsed as { posts: unknown[] }).posts) as readonly Record<
    string,
    unknown
  >[];
  const of = (state: string): readonly ListedPost[] =>
    posts
      .filter((post) => post['state'] === state)
      .map((post) => ({
        callId: String(post['callId']),
        event: String(post['event'] ?? (post['post'] as Record<string, unknown> | undefined)?.['event']),
      }));
  return { unknown: of('unknown'), dead: of('dead') };
}
