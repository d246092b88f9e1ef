import type { PublishConfig } from '@hookline/config';
import type { Output } from '@hookline/kafka';
import type { Clock, RoleParts } from '@hookline/platform';
import { Authenticator, type Credentials } from './authenticator.js';
import { EventReader } from './event-reader.js';
import { IngestModule } from './ingest.module.js';
import { Publisher } from './publisher.js';
import { prepareRequests } from './requests.js';

/** What a request for one event may have besides its data: names, ids, white space. */
const ENVELOPE_BYTES = 16_384;

/** `POST /v1/events` and `POST /v1/events/batch`, over any output. */
export function publishApi(
  limits: PublishConfig,
  clock: Clock,
  output: Output,
  credentials: Credentials,
): Pick<RoleParts, 'module' | 'configure'> {
  const limitOf = (path: string): number =>
    path.startsWith('/v1/events/batch') ? limits.maxBatchBytes : limits.maxEventBytes + ENVELOPE_BYTES;
  return {
    module: IngestModule.with(new EventReader(limits, clock), new Publisher(output, limits.deadlineMs)),
    configure: (app) => prepareRequests(app, new Authenticator(credentials), limitOf),
  };
}
