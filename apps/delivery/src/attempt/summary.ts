import type { AttemptOutcome, DeliveryEnvelope } from '@hookline/contracts';

type AttemptSummary = DeliveryEnvelope['history'][number];

/** An attempt as the history that travels with a delivery has it. */
export function summaryOf({ number, at, durationMs, status, error }: AttemptOutcome): AttemptSummary {
  return {
    number,
    at,
    durationMs,
    ...(status === undefined ? {} : { status }),
    ...(error === undefined ? {} : { error }),
  };
}
