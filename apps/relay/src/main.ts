import { runRole } from '@hookline/platform';
import { relayRole } from './relay.role.js';

await runRole(relayRole);
