import type { Reconciliation } from './reconcile.js';
import type { Scenario } from './scenario.js';
import { hookline } from './site/command.js';
import { settingsOfAll } from './site/settings.js';
import type { Site } from './site/site.js';

/** Lines of what it said instead of a report. */
const SAID = 20;

type State = 'delivered' | 'dead-lettered' | 'held' | 'pending' | 'unknown' | 'missing';

/** What is read of the command's report. */
interface Report {
  states: Record<State, { total: number; proofs: Record<string, number> }>;
  /** By id. */
  subscriptions: Record<string, Partial<Record<State, number>>>;
}

/** It can't tell by the log whether these have come: docs/reconcile.md says why. The receiver's own log can. */
const UNTOLD = new Set(['catch-up', 'late-slice']);

/**
 * What `hookline reconcile` says of the tenant, by the log alone, which knows nothing of what the endpoints have. It counts
 * what was said to see who knows the subscriptions, too, and leaves out what was delivered past a subscription's version: so it
 * may have more of each, or fewer delivered.
 * @param isWhole whether the log has all of it still
 * @returns what it finds wrong, and where it says something else than the endpoints
 */
export async function byCommand(
  site: Site,
  scenario: Scenario,
  reconciled: readonly Reconciliation[],
  isWhole: boolean,
): Promise<string[]> {
  const report = await run(site, scenario.tenantId);
  if (typeof report === 'string') return [`hookline reconcile: ${report}`];
  const faults: string[] = [];
  for (const state of ['missing', 'unknown', 'pending'] as const)
    for (const [proof, count] of Object.entries(report.states[state].proofs))
      if (!UNTOLD.has(proof)) faults.push(`hookline reconcile: ${count} ${state} by ${proof}`);
  if (isWhole) faults.push(...otherwise(report, scenario, reconciled));
  return faults;
}

function otherwise(report: Report, scenario: Scenario, reconciled: readonly Reconciliation[]): string[] {
  const faults: string[] = [];
  for (const { subscription, delivered, deadLettered, held, overtaken } of reconciled) {
    const its = report.subscriptions[scenario.get(subscription).id] ?? {};
    const all = Object.values(its).reduce((sum, count) => sum + count, 0);
    if (
      all < delivered + deadLettered + held - overtaken ||
      (its.delivered ?? 0) < delivered - overtaken - (its.pending ?? 0)
    )
      faults.push(
        `hookline reconcile of ${subscription}: ${JSON.stringify(its)}, where ${delivered} were delivered, ${deadLettered} dead-lettered, ${held} held`,
      );
  }
  return faults;
}

/** @returns its report, or what it said instead */
async function run(site: Site, tenantId: string): Promise<Report | string> {
  const args = ['reconcile', '--tenant', tenantId, '--json'];
  const { code, report, errors } = await hookline(args, settingsOfAll(site.surroundings));
  if (report === '') return `it ended with ${code}: ${errors.trim().split('\n').slice(-SAID).join('\n')}`;
  return JSON.parse(report) as Report;
}
