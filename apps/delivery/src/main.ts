import { runRole } from '@hookline/platform';
import { deliveryRole } from './delivery.role.js';

await runRole(deliveryRole);
