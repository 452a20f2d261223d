import { describeAmiOrders } from './live/describe-live.js';

await describeAmiOrders('16');
