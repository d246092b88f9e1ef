import { startTestEnvironment } from './environment.mjs';

export default () => startTestEnvironment('integration', 1);
