import { runRole } from '@hookline/platform';
import { ingestRole } from './ingest.role.js';

await runRole(ingestRole);
