import { adapter } from '../../adapters/freeswitch/index.js';
import { ActingFreeSwitch } from '../support/acting-freeswitch.js';
import { adapterConformance } from './adapter-conformance.js';

adapterConformance('freeswitch', {
  definition: adapter,
  startPbx: () => ActingFreeSwitch.start(),
  orders: ['hangUp', 'setCallerId', 'originate', 'pause', 'gateState', 'probe'],
});
