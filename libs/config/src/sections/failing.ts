import { section } from '../load.js';
import { duration, durations, flag } from '../setting.js';

/** When a subscription counts as failing, and what is done about it. */
export interface FailingConfig {
  disableAfterMs: number;
  warningsMs: number[];
  gapMs: number;
  recorderLagMs: number;
  pollMs: number;
  needsProof: boolean;
}

export const failingSection = section<FailingConfig>('Failing subscriptions', {
  disableAfterMs: duration(
    'HOOKLINE_FAILING_DISABLE_AFTER',
    "A subscription is disabled when nothing has succeeded for so long by the log's time, though it was tried.",
    { default: '24h' },
  ),
  warningsMs: durations('HOOKLINE_FAILING_WARNINGS', 'After how long without a success there is a warning of that.', {
    default: '1h,12h,20h',
  }),
  gapMs: duration(
    'HOOKLINE_FAILING_GAP',
    'Without an attempt for so long the failure counts as over, and begins anew with the next one; longer than any of HOOKLINE_RETRY_DELAYS.',
    { default: '6h' },
  ),
  recorderLagMs: duration(
    'HOOKLINE_FAILING_RECORDER_LAG',
    'Nothing is disabled or warned of unless the recorder is behind the log by no more than this.',
    { default: '1m' },
  ),
  pollMs: duration('HOOKLINE_FAILING_POLL', 'How often it is looked for subscriptions that fail.', { default: '10s' }),
  needsProof: flag(
    'HOOKLINE_FAILING_NEEDS_PROOF',
    'Nothing is disabled for failing unless a success of whatever subscription, since it began to fail and lately, shows that attempts get out of here at all. No: where nothing else is sent to, and one that fails has to be disabled all the same.',
    { default: true },
  ),
});
