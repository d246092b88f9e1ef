import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Gauge, Histogram } from 'prom-client';

/**
 * The metrics of one role, each with the label `role`. Names begin with `hookline_`; times are in seconds, as
 * Prometheus wants them. The process' own (CPU, memory, event-loop lag) are among them.
 */
export class Metrics {
  private readonly registry = new Registry();

  constructor(role: string) {
    this.registry.setDefaultLabels({ role });
    collectDefaultMetrics({ register: this.registry });
  }

  /** Something that is counted and only grows; its name ends in `_total`. */
  counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  /**
   * A value that goes up and down.
   * @param read gives the value when someone asks; without it, the caller sets it
   */
  gauge<L extends string = never>(
    name: string,
    help: string,
    options: { labelNames?: readonly L[]; read?: () => number } = {},
  ): Gauge<L> {
    const { labelNames = [], read } = options;
    const gauge: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      ...(read ? { collect: (): void => gauge.set(read()) } : {}),
    });
    return gauge;
  }

  /** Values with one label each, read when someone asks; a label that is no longer given is gone. */
  gauges<L extends string>(
    name: string,
    help: string,
    label: L,
    read: () => Iterable<readonly [string, number]>,
  ): void {
    const gauge: Gauge<L> = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: (): void => {
        gauge.reset();
        for (const [of, value] of read()) gauge.set({ [label]: of } as Record<L, string>, value);
      },
    });
  }

  /** How values are spread. @param buckets upper bounds, in the metric's unit */
  histogram<L extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly L[] = [],
  ): Histogram<L> {
    return new Histogram({
      name,
      help,
      buckets: [...buckets],
      labelNames: [...labelNames],
      registers: [this.registry],
    });
  }

  /** All of them, in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}
