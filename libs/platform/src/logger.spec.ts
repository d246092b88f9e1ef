import { describe, expect, it } from '@jest/globals';
import { createLogger } from './logger.js';
import { NestLogger } from './nest-logger.js';

function capture(level: 'debug' | 'info') {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  return { lines, logger: createLogger({ level }, 'ingest', destination) };
}

describe('createLogger', () => {
  it('writes a line of JSON with the role, the level by name and the facts', () => {
    const { lines, logger } = capture('info');
    logger.info({ partition: 3 }, 'caught up');
    logger.debug({}, 'not seen');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ role: 'ingest', level: 'info', partition: 3, msg: 'caught up' });
  });

  it('hides secrets, one level deep as well', () => {
    const { lines, logger } = capture('info');
    logger.warn({ authorization: 'Bearer x', config: { password: 'y', host: 'h' } }, 'refused');
    expect(lines[0]).toMatchObject({ authorization: '[secret]', config: { password: '[secret]', host: 'h' } });
  });

  it("takes Nest's own lines at debug, and its errors with the stack", () => {
    const { lines, logger } = capture('debug');
    const nest = new NestLogger(logger);
    nest.log('started', 'NestFactory');
    nest.error('failed', 'the stack', 'Router');
    expect(lines[0]).toMatchObject({ level: 'debug', part: 'NestFactory', msg: 'started' });
    expect(lines[1]).toMatchObject({ level: 'error', part: 'Router', stack: 'the stack', msg: 'failed' });
  });
});
