import type { DeliveryState, LogPosition } from '@hookline/contracts';
import { deliveryIdOf } from './delivery-uuid.js';

/** One event on its way to one subscription, as its last outcome left it. */
export interface RecordedDelivery {
  /** `msg_…` */
  id: string;
  tenantId: string;
  subscriptionId: string;
  event: LogPosition & { id: string; type: string };
  state: DeliveryState;
  /** Attempts made so far, over all windows. */
  attempts: number;
  nextAttemptAt: Date | null;
  /** Why it was dead-lettered, or handed over without an attempt. */
  reason: string | null;
  /** What the outcome that counts met, if it was an attempt. */
  lastStatus: number | null;
  lastError: string | null;
  /** The replay that the last outcome belongs to. */
  replayId: string | null;
  /** The append time of the outcome that counts. */
  updatedAt: Date;
}

export const DELIVERY_COLUMNS = `d.delivery_id, d.tenant_id, d.subscription_id, d.event_partition, d.event_offset,
  d.event_at, d.event_id, d.type, d.state, d.attempts, d.next_attempt_at, d.reason, d.last_status, d.last_error,
  d.replay_id, d.updated_at`;

export interface DeliveryRow {
  delivery_id: string;
  tenant_id: string;
  subscription_id: string;
  event_partition: number;
  event_offset: string;
  event_at: Date;
  event_id: string;
  type: string;
  state: DeliveryState;
  attempts: number;
  next_attempt_at: Date | null;
  reason: string | null;
  last_status: number | null;
  last_error: string | null;
  replay_id: string | null;
  updated_at: Date;
}

export function toDelivery(row: DeliveryRow): RecordedDelivery {
  return {
    id: deliveryIdOf(row.delivery_id),
    tenantId: row.tenant_id,
    subscriptionId: row.subscription_id,
    event: {
      id: row.event_id,
      type: row.type,
      partition: row.event_partition,
      offset: Number(row.event_offset),
      at: row.event_at.getTime(),
    },
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.next_attempt_at,
    reason: row.reason,
    lastStatus: row.last_status,
    lastError: row.last_error,
    replayId: row.replay_id,
    updatedAt: row.updated_at,
  };
}
