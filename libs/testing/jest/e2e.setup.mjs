import { startTestEnvironment } from './environment.mjs';

export default () => startTestEnvironment('e2e', 3);
