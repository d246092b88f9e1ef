export { deliveryIdOf, isDeliveryId } from './delivery-id.js';
export { newId, isId, type IdKind } from './ids.js';
export { isEventType, isTypePattern, matchesType } from './type-pattern.js';
export { SubscriptionIndex, type Matchable } from './subscription-index.js';
export {
  Signer,
  newSigningSecret,
  isSigningSecret,
  verifySignature,
  type SignedMessage,
  type Verification,
} from './signature.js';
export { Sealer, UnsealError, SealingKeyError } from './sealer.js';
export { makeApiKey, apiKeyIdOf, hashApiKey, sameSecret, type NewApiKey } from './api-key.js';
export { DELIVERED, EXPIRED, isSuccess, type Outcome } from './outcome.js';
export { RetryPolicy, type RetryRules, type Progress } from './retry-policy.js';
export { DeduplicationIndex } from './deduplication-index.js';
export { CompletionTracker, type OffsetRun } from './offsets/completion-tracker.js';
export {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  MAX_METADATA_CHARACTERS,
  type EncodedMetadata,
} from './offsets/offset-metadata.js';
