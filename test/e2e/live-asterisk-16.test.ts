import { describeAmi } from './live/describe-live.js';

await describeAmi('16');
