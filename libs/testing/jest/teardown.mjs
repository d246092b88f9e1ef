import { stopTestEnvironment } from './environment.mjs';

export default stopTestEnvironment;
