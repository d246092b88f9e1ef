/** By what a row is the same row in both databases. */
export const IDENTITIES: Readonly<Record<string, readonly string[]>> = {
  api_keys: ['id'],
  attempts: ['partition', 'offset'],
  dead_letter_positions: ['partition'],
  dead_letter_records: ['key'],
  deliveries: ['delivery_id'],
  event_routes: ['partition', 'offset'],
  events: ['partition', 'offset'],
  expunged_events: ['partition', 'offset'],
  held_spans: ['subscription_id', 'version'],
  late_slice_positions: ['partition'],
  recorder_offsets: ['topic', 'partition'],
  replay_deliveries: ['replay_id', 'delivery_id'],
  subscription_health: ['subscription_id'],
  subscription_stamps: ['subscription_id'],
  subscriptions: ['id'],
  tenants: ['id'],
};

const BY_PEOPLE = 'what somebody did in the database only';
const BY_THE_RECORD = 'when its record was appended: a little later, or when it was last changed';
const TO_THE_MINUTE = 'kept to the minute, and how exactly depends on what came in one batch';

/** What a rebuilt database says otherwise, or not at all, and why. Everything else is as it was. */
export const NOT_IN_THE_TOPICS: Readonly<Record<string, string>> = {
  audit_entries: BY_PEOPLE,
  dead_letter_discards: BY_PEOPLE,
  replays: BY_PEOPLE,
  'tenants.name': BY_PEOPLE,
  'tenants.created_at': BY_THE_RECORD,
  'api_keys.name': BY_PEOPLE,
  'api_keys.created_at': BY_THE_RECORD,
  'api_keys.revoked_at': BY_THE_RECORD,
  'subscriptions.description': BY_PEOPLE,
  'subscriptions.created_at': BY_THE_RECORD,
  'subscriptions.updated_at': BY_THE_RECORD,
  'subscriptions.deleted_at': BY_THE_RECORD,
  'subscriptions.enabled_at': 'when it was last changed: so many failures are forgiven, and never too few',
  'subscription_health.enabled_at': 'as of the subscription',
  'subscription_health.failed_at': TO_THE_MINUTE,
  'subscription_health.last_success_at': TO_THE_MINUTE,
  'expunged_events.expunged_at': 'to the millisecond',
  'held_spans (rows)': 'those of a deleted subscription are over',
  'held_spans.id': 'counted anew',
  'held_spans.since': BY_THE_RECORD,
  'held_spans.reason': 'of one that is over nobody knows any more whether it was paused or disabled',
  'held_spans.replay_id': 'catch-ups are replays',
  'held_spans.ended_as':
    'nobody knows that a catch-up brought it: the next one asks history before it sends anything twice',
  'held_spans.ended_at': 'as above',
};
