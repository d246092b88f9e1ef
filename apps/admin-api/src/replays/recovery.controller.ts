import { HttpCode, Inject, Param, Post } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { JsonBody } from '../http/request.decorators.js';
import { recover, type Recover } from './recovery.schemas.js';
import { RecoveryService } from './recovery.service.js';
import { replayProgress, type ReplayProgress } from './replays.schemas.js';

@ApiController('v1', 'Replays')
export class RecoveryController {
  constructor(@Inject(RecoveryService) private readonly recovery: RecoveryService) {}

  /** Once more, in a new window, whatever became of it; one that is under way meanwhile goes on as well. */
  @Post('deliveries/:id/resend')
  @HttpCode(202)
  @Answers(202, replayProgress)
  resend(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ReplayProgress> {
    return this.recovery.resend(caller, id);
  }

  /** A replay to this subscription alone. */
  @Post('webhooks/subscriptions/:id/recover')
  @HttpCode(202)
  @Answers(202, replayProgress)
  recover(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @JsonBody(recover) body: Recover,
  ): Promise<ReplayProgress> {
    return this.recovery.recover(caller, id, body);
  }
}
