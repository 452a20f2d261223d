/** What happens in an office on any day. */
import { callsFromAgents } from './calls-from-agents.js';
import { directCalls } from './direct-calls.js';
import { movedCalls } from './moved-calls.js';
import type { Scenario } from './scenario.js';
import { sharedCalls } from './shared-calls.js';

export const everydayCalls: readonly Scenario[] = [...directCalls, ...sharedCalls, ...movedCalls, ...callsFromAgents];
