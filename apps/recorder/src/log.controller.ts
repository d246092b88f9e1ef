import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { TOPICS } from '@hookline/contracts';
import type { LogRecord } from '@hookline/kafka';
import { Recorder } from './recorder.js';

/** What the recorder listens to. */
@Controller()
export class LogController {
  constructor(@Inject(Recorder) private readonly recorder: Recorder) {}

  @EventPattern<string>(TOPICS.events)
  events(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.recorder.handle(records);
  }

  @EventPattern<string>(TOPICS.attempts)
  attempts(@Payload() records: readonly LogRecord[]): readonly Promise<void>[] {
    return this.recorder.handle(records);
  }
}
