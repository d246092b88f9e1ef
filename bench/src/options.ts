import { parseArgs } from 'node:util';

export interface SpineOptions {
  /** Load before anything is measured: brokers are slow in their first minute. */
  warmupSeconds: number;
  /** Of each closed loop. */
  seconds: number;
  publishers: number;
  /** Events a second while latency is measured. */
  rate: number;
  latencySeconds: number;
  brokers: 1 | 3;
  /** Where the JSON goes; standard output where it is left out. */
  json: string | undefined;
}

export const USAGE = `npm run bench -- spine [flags]

  --warmup <s>           load before the measurement (60)
  --seconds <s>          of each closed loop (60)
  --publishers <n>       concurrent publishers, each waiting for its answer (64)
  --rate <n>             events a second while latency is measured (200)
  --latency-seconds <s>  how long it is measured (30)
  --brokers 1|3          copies of everything (3)
  --json <file>          writes the result there instead of printing it
`;

/** @throws Error that names the flag */
export function parseOptions(args: readonly string[]): SpineOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      warmup: { type: 'string', default: '60' },
      seconds: { type: 'string', default: '60' },
      publishers: { type: 'string', default: '64' },
      rate: { type: 'string', default: '200' },
      'latency-seconds': { type: 'string', default: '30' },
      brokers: { type: 'string', default: '3' },
      json: { type: 'string' },
    },
  });
  if (values.brokers !== '1' && values.brokers !== '3') throw new Error('--brokers is 1 or 3');
  return {
    warmupSeconds: count('warmup', values.warmup),
    seconds: count('seconds', values.seconds),
    publishers: count('publishers', values.publishers),
    rate: count('rate', values.rate),
    latencySeconds: count('latency-seconds', values['latency-seconds']),
    brokers: values.brokers === '1' ? 1 : 3,
    json: values.json,
  };
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(`--${flag} is a whole number of at least 1, not ${text}`);
  return value;
}
