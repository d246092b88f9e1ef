import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { TOPICS } from '@hookline/contracts';
import type { LogRecord } from '@hookline/kafka';
import { DeliveryWorker } from './worker.js';

/** What a delivery worker listens to. */
@Controller()
export class LogController {
  constructor(@Inject(DeliveryWorker) private readonly worker: DeliveryWorker) {}

  @EventPattern<string>(TOPICS.events)
  events(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.worker.events(records);
  }

  @EventPattern<string>(TOPICS.deliveries)
  deliveries(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.worker.lanes(records);
  }

  @EventPattern<string>(TOPICS.replays)
  replays(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.worker.lanes(records);
  }

  /** Every tier that exists, also one that is not written any more. */
  @EventPattern<string>('hookline.retry.*')
  retries(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.worker.lanes(records);
  }
}
