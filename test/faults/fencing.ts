/** A bridge that does not lead any more must send nothing: what the stand-in saw is held against who led when. Pure. */

/** A bridge has the lead, and sends what was left, a moment before it has logged in at the PBX, ms. */
const TAKING_MS = 500;

export interface LeadTaken {
  readonly bridge: string;
  readonly at: number;
}
export interface SentPost {
  readonly bridge: string;
  readonly at: number;
  readonly what: string;
}

/**
 * Posts that came from another bridge than the one that led at that moment, in words. A lead begins with its login at the PBX and
 * ends with the next one's. `tolerance`: a post that was written before that may arrive so much later, ms.
 */
export function strayPosts(
  leads: readonly LeadTaken[],
  posts: readonly SentPost[],
  tolerance: number,
): readonly string[] {
  const inOrder = leads.toSorted((a, b) => a.at - b.at);
  return posts.flatMap(({ bridge, at, what }) => {
    const leader = inOrder.findLast((lead) => lead.at + tolerance <= at);
    const earlier = inOrder.some(
      (lead) => lead.bridge === bridge && lead.at - TAKING_MS <= at && lead.at >= (leader?.at ?? 0),
    );
    if (leader === undefined || leader.bridge === bridge || earlier) return [];
    return [`${bridge} sent ${what} ${Math.round(at - leader.at)} ms after ${leader.bridge} had taken the lead`];
  });
}
