import type { Counter, Metrics } from '@hookline/platform';

/** What the sources tell about themselves, each under its name. */
export class SourceMetrics {
  private readonly records: Counter<'source' | 'result'>;
  private readonly gone: Counter<'source'>;

  /** @param lags by the source's name: records that are in its topic and not yet events, of the partitions read here */
  constructor(metrics: Metrics, lags: () => Iterable<readonly [string, number]>) {
    this.records = metrics.counter(
      'hookline_source_records_total',
      'Records of a source that became events (taken) or dead letters (refused).',
      ['source', 'result'],
    );
    this.gone = metrics.counter(
      'hookline_source_aged_out_total',
      "Records that a source's topic let go of before they were read: they are lost.",
      ['source'],
    );
    metrics.gauges(
      'hookline_source_lag',
      'Records of a source that are not acknowledged in hookline.events yet, of the partitions that this process reads.',
      'source',
      lags,
    );
  }

  taken(source: string): void {
    this.records.inc({ source, result: 'taken' });
  }

  refused(source: string): void {
    this.records.inc({ source, result: 'refused' });
  }

  agedOut(source: string, records: number): void {
    this.gone.inc({ source }, records);
  }
}
