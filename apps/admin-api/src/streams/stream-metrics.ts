import type { Metrics } from '@hookline/platform';
import type { WaitingRoom } from './waiting-room.js';

/** What the stream tells of itself. */
export interface StreamObserver {
  /** A poll was answered with so many events. */
  read(events: number): void;
  gap(): void;
}

export function streamMetrics(metrics: Metrics, room: WaitingRoom): StreamObserver {
  const events = metrics.counter('hookline_stream_events_total', 'Events that polls of the stream were given.');
  const gaps = metrics.counter('hookline_stream_gaps_total', 'Polls that were told of a gap.');
  metrics.gauge('hookline_stream_waiting', 'Polls that wait for events.', { read: () => room.size });
  return { read: (count) => events.inc(count), gap: () => gaps.inc() };
}
