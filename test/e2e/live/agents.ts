/** The people of the lab: extension → name. */
export const AGENTS: Readonly<Record<string, string>> = {
  '100': 'Alice Agent',
  '101': 'Bob Agent',
  '102': 'Carol Agent',
  '103': 'Dave Agent',
  '104': 'Erin Agent',
  '105': 'Frank Agent',
  '106': 'Grace Agent',
  '109': 'Ivan Agent',
};
