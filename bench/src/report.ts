import type { SpineResult } from './spine.js';

/** More than a machine does that has nothing to do. */
const BUSY_PERCENT = 10;

/** The result as a person reads it. */
export function formatReport({ machine, date, options, throughput, latency, notRecorded, ok }: SpineResult): string {
  const rows = throughput.map(
    ({ name, endToEndPerSecond, publishedPerSecond, publishP50Ms, publishP99Ms, lost, repeated }) => [
      name,
      String(endToEndPerSecond),
      String(publishedPerSecond),
      `${publishP50Ms} / ${publishP99Ms}`,
      String(lost),
      String(repeated),
    ],
  );
  const cpu = throughput.map(
    ({ name, cpuMicros }) =>
      `  ${name}: ${Object.entries(cpuMicros)
        .map(([part, micros]) => `${part} ${micros}`)
        .join(', ')}`,
  );
  return [
    '',
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, ` +
      `Kafka ${machine.kafka}, PostgreSQL ${machine.postgres}; ${date}`,
    `${options.brokers} broker(s), every role, PostgreSQL, publishers and receiver on this machine; 1 KB, ` +
      `${options.publishers} publishers, ${options.warmupSeconds} s of warm-up`,
    ...(machine.busyBeforePercent > BUSY_PERCENT
      ? [`THE MACHINE WAS BUSY: others used ${machine.busyBeforePercent} % of it before; these figures say little.`]
      : []),
    '',
    table(['', 'events/s end to end', 'published/s', 'publish p50 / p99 ms', 'lost', 'repeated'], rows),
    '',
    `CPU for each event, µs:`,
    ...cpu,
    '',
    `Publish → endpoint at ${latency.rate}/s: p50 ${latency.p50Ms} ms, p99 ${latency.p99Ms} ms, ` +
      `max ${latency.maxMs} ms (${latency.published} events, ${latency.lost} lost, ${latency.repeated} repeated)`,
    `Acknowledged and not recorded: ${notRecorded}`,
    ok ? 'Every acknowledged event was received and recorded.' : 'EVENTS ARE MISSING.',
    '',
  ].join('\n');
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] as string).length)),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ');
  return [head, ...rows].map(line).join('\n');
}
