import type { Versioned } from '@hookline/contracts';
import type { Metrics } from '@hookline/platform';
import type { CompactedView } from './compacted-view.js';

/** How current a view is, as metrics. @param name what it is a view of, e.g. `credentials` */
export function observeView<T extends Versioned>(metrics: Metrics, name: string, view: CompactedView<T>): void {
  metrics.gauge(`hookline_${name}_stale_seconds`, `How long ago the ${name} were known to be current.`, {
    read: () => view.staleForMs() / 1_000,
  });
  metrics.gauge(`hookline_${name}_unreadable`, `Records of the ${name} that could not be read, and are left out.`, {
    read: () => view.unreadable,
  });
}
