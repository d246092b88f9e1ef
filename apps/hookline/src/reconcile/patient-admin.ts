import type { Clock } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';
import { isNotLed } from '../commands/once-led.js';

const LAPS = 60;
const LAP_PAUSE_MS = 500;

/** Kafka's words for a group whose coordinator has just moved, or reads what it has to know. */
const NOT_COORDINATED = new Set([
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
]);

/**
 * Asks the cluster things, and asks again with a new client while a partition has no leader or a group no coordinator: a
 * reading that takes minutes must not end because a broker went meanwhile.
 */
export class PatientAdmin {
  private current: Promise<Admin> | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly clock: Clock,
  ) {}

  /** @param question may be asked several times @throws what it throws for another reason; that, too, after half a minute */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    for (let lap = 1; ; lap += 1) {
      const connected = (this.current ??= this.connect());
      try {
        return await question(await connected);
      } catch (error) {
        if (lap === LAPS || !isPassing(error)) throw error;
        if (this.current === connected) await this.close();
      }
      await new Promise<void>((resolve) => this.clock.after(LAP_PAUSE_MS, resolve));
    }
  }

  async close(): Promise<void> {
    const closing = this.current;
    this.current = undefined;
    const admin = await closing?.catch(() => undefined);
    await admin?.disconnect();
  }

  private async connect(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }
}

function isPassing(error: unknown): boolean {
  const { type } = (error ?? {}) as { type?: unknown };
  return isNotLed(error) || (typeof type === 'string' && NOT_COORDINATED.has(type));
}
