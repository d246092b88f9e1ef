import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Span } from '../repeats.js';

/** What a worker says when it may lose partitions, has lost them or gets others. */
const SAYS =
  /"time":"([^"]+)".*"msg":"(joined|the consumer is made anew|progress could not be committed; the next commit carries it)"/;

/**
 * When workers lost partitions, by their own logs: each time at which one says that the group changed or that a commit was
 * refused, and a session timeout before that, for so long it may have worked on.
 */
export function unrestOf(dataDir: string, sessionMs: number): Span[] {
  const folder = join(dataDir, 'logs');
  return readdirSync(folder)
    .filter((file) => file.startsWith('delivery'))
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
    .flatMap((line) => {
      const at = Date.parse(SAYS.exec(line)?.[1] ?? '');
      return Number.isNaN(at) ? [] : [{ from: at - sessionMs, to: at }];
    });
}
