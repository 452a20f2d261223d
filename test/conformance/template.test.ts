import { adapter as templateAdapter } from '../../adapters/_template/adapter.js';
import { adapterConformance } from './adapter-conformance.js';
import { startLinePbx } from './line-pbx.js';

adapterConformance('the template', { definition: templateAdapter, startPbx: startLinePbx, orders: [] });
