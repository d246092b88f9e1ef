import { runRole } from '@hookline/platform';
import { adminApiRole } from './admin-api.role.js';

await runRole(adminApiRole);
