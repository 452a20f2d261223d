import { createMemoryStore } from '../../../src/store/memory-store.js';
import { describeStore } from '../../support/store-contract.js';

describeStore('memory', () => Promise.resolve({ store: createMemoryStore(), dispose: () => Promise.resolve() }));
