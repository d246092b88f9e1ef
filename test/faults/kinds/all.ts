import type { Fault } from '../fault.js';
import { BROKER_FAULTS } from './broker-faults.js';
import { DATABASE_FAULTS } from './database-faults.js';
import { NETWORK_FAULTS } from './network-faults.js';
import { retentionPasses } from './retention-fault.js';
import { ROLE_FAULTS } from './role-faults.js';

/** Every way in which something breaks here, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [
  ...ROLE_FAULTS,
  ...DATABASE_FAULTS,
  ...BROKER_FAULTS,
  ...NETWORK_FAULTS,
  retentionPasses,
];
