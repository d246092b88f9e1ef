import { section } from '../load.js';
import { choice } from '../setting.js';

export interface LoggingConfig {
  level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export const loggingSection = section<LoggingConfig>('Logging', {
  level: choice(
    'HOOKLINE_LOG_LEVEL',
    'What is logged, as JSON lines on standard output.',
    ['debug', 'info', 'warn', 'error', 'silent'],
    { default: 'info' },
  ),
});
