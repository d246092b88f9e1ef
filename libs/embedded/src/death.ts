import { saysDiskFull } from './tail.js';

/** Why something ended that was to go on. */
export interface Death {
  why: string;
  /** It would end again: somebody has to make room first. */
  diskFull: boolean;
}

/** Finds the reason in what a program has said last. @param telling what a line with a reason looks like */
export function explainDeath(log: string, telling: RegExp): Death {
  if (saysDiskFull(log))
    return { why: 'the disk with its data is full; make room, or use another folder (--data)', diskFull: true };
  const lines = log.split('\n').filter((line) => telling.test(line));
  return { why: lines.at(-1)?.slice(0, 400) ?? 'it said nothing', diskFull: false };
}
