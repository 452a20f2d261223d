import { describeAri } from './live/describe-live.js';

await describeAri('16');
