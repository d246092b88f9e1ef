import { runRole } from '@hookline/platform';
import { recorderRole } from './recorder.role.js';

await runRole(recorderRole);
