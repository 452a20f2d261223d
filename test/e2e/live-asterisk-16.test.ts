import { describeSeries } from './live/describe-live.js';

await describeSeries('16');
