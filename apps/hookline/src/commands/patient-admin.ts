import type { Clock } from '@hookline/platform';
import type { Admin, Kafka } from 'kafkajs';

const PATIENCE_MS = 30_000;
const LAP_PAUSE_MS = 500;

/**
 * Asks the cluster things, and asks again with a new client (which asks anew who leads) where that has failed for what
 * passes: a reading that takes minutes must not end because a broker went meanwhile.
 */
export class PatientAdmin {
  private current: Promise<Admin> | undefined;

  constructor(
    private readonly kafka: Kafka,
    private readonly clock: Clock,
    private readonly isPassing: (error: unknown) => boolean,
  ) {}

  /** @param question may be asked several times @throws what it throws for another reason; that, too, after half a minute */
  async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    const end = this.clock.now() + PATIENCE_MS;
    for (;;) {
      const connected = (this.current ??= this.connect());
      try {
        return await question(await connected);
      } catch (error) {
        if (this.clock.now() >= end || !this.isPassing(error)) throw error;
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
