export { deliveryIdOf, isDeliveryId } from './delivery-id.js';
export { newId, isId, type IdKind } from './ids.js';
export { isEventType, isTypePattern, matchesType } from './type-pattern.js';
export { checkFields, type EventFields, type EventLimits } from './event/event-fields.js';
export { elementsOf, membersOf, skipSpace, type JsonMember, type JsonSpan } from './event/json-spans.js';
export { SubscriptionIndex, type Matchable } from './subscription-index.js';
export { earlierThan, isLive, takesOf, versionAt, type Holding } from './version-line.js';
export {
  Signer,
  newSigningSecret,
  isSigningSecret,
  verifySignature,
  type SignedMessage,
  type Verification,
} from './signature.js';
export { ownHeaders, requestHeaders } from './request-headers.js';
export { MASK, maskedValue, withoutCredentials } from './masking.js';
export { Sealer, UnsealError } from './sealer.js';
export { SealingKeyError } from './sealing-keys.js';
export { Tagger } from './tagger.js';
export { makeApiKey, apiKeyIdOf, hashApiKey, isHashOfKey, sameSecret, type NewApiKey } from './api-key.js';
export { DELIVERED, EXPIRED, SUPERSEDED, type End, type Outcome } from './outcome.js';
export { verdictOf, type Verdict } from './answer/verdict.js';
export { retryAfterMs } from './answer/retry-after.js';
export { AdaptiveLimit } from './pace/adaptive-limit.js';
export { CircuitBreaker, type BreakerRules, type BreakerState } from './pace/circuit-breaker.js';
export { RateLimiter } from './pace/rate-limiter.js';
export { DeficitRoundRobin } from './pace/deficit-round-robin.js';
export { WeightedTurns } from './pace/weighted-turns.js';
export { RetryPolicy, type RetryRules, type Progress } from './retry-policy.js';
export { DeduplicationIndex } from './deduplication-index.js';
export { CompletionTracker } from './offsets/completion-tracker.js';
export type { OffsetRun, RemainderRun } from './offsets/offset-run.js';
export type { RecordParts } from './offsets/record-parts.js';
export {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  MAX_METADATA_CHARACTERS,
  type EncodedMetadata,
  type OffsetProgress,
} from './offsets/offset-metadata.js';
export { OrderingGate, type GateRules } from './ordering/ordering-gate.js';
export type { Finished, FoundRecord, GateVerdict, OrderedEvent, OrderedWork } from './ordering/ordered-work.js';
export { ScanBounds } from './ordering/scan-bounds.js';
