import { clusterOf, StreamCursors, StreamHistory } from '@hookline/persistence';
import type { Clock, Metrics } from '@hookline/platform';
import type { Database } from '../database/database.js';
import type { Settings } from '../settings.js';
import type { LogOffsets } from '../topics/log-offsets.js';
import { streamMetrics } from './stream-metrics.js';
import { StreamsService } from './streams.service.js';
import { WaitingRoom } from './waiting-room.js';

/** The pull stream, put together. */
export function streamsOf(
  { database, log, clock, metrics }: { database: Database; log: LogOffsets; clock: Clock; metrics: Metrics },
  { stream, sealing, admin, publish }: Pick<Settings, 'stream' | 'sealing' | 'admin' | 'publish'>,
): StreamsService {
  const history = new StreamHistory(database, stream.scan);
  const room = new WaitingRoom(history, clock, stream);
  let known: string | undefined;
  return new StreamsService(
    {
      history,
      cursors: new StreamCursors(sealing.keys),
      // A process stays with one: it refuses to start with another.
      clusterId: async () => (known ??= await clusterOf(database)),
      room,
      log,
      clock,
      observer: streamMetrics(metrics, room),
    },
    { ...stream, maxTypes: admin.maxTypes, maxTypeLength: publish.maxTypeLength },
  );
}
