import type { DeliveryState } from '@hookline/contracts';
import type { ReplayJob } from './replay-job.js';

/**
 * Whether a replay brings a delivery.
 * @param state as history has it; undefined: nothing is known of it
 * @param held its event stands in a span that this replay brings
 * @param missed it was given up, for what its endpoint did, in the time that this replay makes up for
 */
export type Choice = (state: DeliveryState | undefined, held: boolean, missed: boolean) => boolean;

const UNENDED: readonly (DeliveryState | undefined)[] = ['pending', 'retrying', 'held'];

/** Undefined: every delivery, whatever is known of it. */
export function choiceOf({ kind, outcome }: Pick<ReplayJob, 'kind' | 'outcome'>): Choice | undefined {
  // What was under way is superseded by the catch-up, wherever it stands; what no one took up is missing only where it was
  // held, for elsewhere a worker that is behind will take it up yet.
  if (kind === 'catch-up')
    return (state, held, missed) => UNENDED.includes(state) || missed || (held && state === undefined);
  // What is under way goes on: nothing is superseded here.
  if (kind === 'backlog') return (state, held) => held && (state === undefined || state === 'held');
  if (outcome === 'undelivered') return (state) => state !== 'delivered';
  if (outcome === 'failed') return (state) => state === 'dead-lettered';
  return undefined;
}
