import { section } from '../load.js';
import { count, duration, text } from '../setting.js';

/** The HTTP server that each role has: its API if it has one, and its health and metrics. */
export interface HttpConfig {
  host: string;
  port: number;
  drainMs: number;
}

export const httpSection = section<HttpConfig>('HTTP', {
  host: text('HOOKLINE_HTTP_HOST', 'The address to listen on.', { default: '0.0.0.0' }),
  port: count('HOOKLINE_HTTP_PORT', 'The port to listen on; 0 takes a free one.', {
    default: 8080,
    min: 0,
    max: 65535,
  }),
  drainMs: duration('HOOKLINE_DRAIN_TIMEOUT', 'How long a stop waits for work in flight.', { default: '25s' }),
});
