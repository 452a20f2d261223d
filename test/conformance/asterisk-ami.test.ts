import { adapter } from '../../adapters/asterisk-ami/index.js';
import { ActingAsterisk } from '../support/acting-asterisk.js';
import { adapterConformance } from './adapter-conformance.js';

adapterConformance('asterisk-ami', {
  definition: adapter,
  startPbx: () => ActingAsterisk.start(),
  orders: ['hangUp', 'originate', 'pause', 'gateState', 'probe'],
});
