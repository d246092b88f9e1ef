import { Delete, Inject, Param } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { QueryOf } from '../http/request.decorators.js';
import { expungedView, expungeQuery, type ExpungedView, type ExpungeQuery } from './payloads.schemas.js';
import { PayloadsService } from './payloads.service.js';

@ApiController('v1/events', 'History')
export class PayloadsController {
  constructor(@Inject(PayloadsService) private readonly payloads: PayloadsService) {}

  @Delete(':id/payload')
  @Answers(200, expungedView)
  expunge(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @QueryOf(expungeQuery) query: ExpungeQuery,
  ): Promise<ExpungedView> {
    return this.payloads.expunge(caller, id, query);
  }
}
