import { describeAmi, describeAri } from './live/describe-live.js';

await describeAmi('16');
await describeAri('16');
