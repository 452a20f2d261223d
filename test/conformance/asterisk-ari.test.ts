import { adapter } from '../../adapters/asterisk-ari/index.js';
import { ActingAri } from '../support/acting-ari.js';
import { adapterConformance } from './adapter-conformance.js';

adapterConformance('asterisk-ari', {
  definition: adapter,
  startPbx: () => ActingAri.start(),
  orders: ['hangUp', 'setCallerId', 'originate', 'pause', 'gateState', 'probe'],
});
