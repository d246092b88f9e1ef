import { stop } from './setup.mjs';

export default stop;
