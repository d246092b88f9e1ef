import { Get, HttpCode, Inject, Post } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { JsonBody, QueryOf } from '../http/request.decorators.js';
import { DeadLetterChanging } from './dead-letter-changing.js';
import {
  changedView,
  deadLetterView,
  discard,
  discardedRecordsView,
  discardRecords,
  listDeadLetters,
  listRecords,
  recordView,
  redrive,
  redrivenView,
  summarize,
  summaryView,
  type ChangedView,
  type DeadLetterView,
  type Discard,
  type DiscardedRecordsView,
  type DiscardRecords,
  type ListDeadLetters,
  type ListRecords,
  type RecordView,
  type Redrive,
  type RedrivenView,
  type Summarize,
  type SummaryView,
} from './dead-letters.schemas.js';
import { DeadLettersService } from './dead-letters.service.js';
import { RecordDiscarding } from './record-discarding.js';

@ApiController('v1/dead-letters', 'Dead letters')
export class DeadLettersController {
  constructor(
    @Inject(DeadLettersService) private readonly letters: DeadLettersService,
    @Inject(DeadLetterChanging) private readonly changing: DeadLetterChanging,
    @Inject(RecordDiscarding) private readonly discarding: RecordDiscarding,
  ) {}

  /** Deliveries that have ended undelivered, newest event first. */
  @Get()
  @Answers(200, pageOf(deadLetterView))
  list(
    @CurrentCaller() caller: Caller,
    @QueryOf(listDeadLetters) query: ListDeadLetters,
  ): Promise<Page<DeadLetterView>> {
    return this.letters.list(caller, query);
  }

  @Get('summary')
  @Answers(200, summaryView)
  summary(@CurrentCaller() caller: Caller, @QueryOf(summarize) query: Summarize): Promise<SummaryView> {
    return this.letters.summary(caller, query);
  }

  /** What is in `hookline.dead-letters` and is no single delivery, newest first. */
  @Get('records')
  @Answers(200, pageOf(recordView))
  records(@CurrentCaller() caller: Caller, @QueryOf(listRecords) query: ListRecords): Promise<Page<RecordView>> {
    return this.letters.records(caller, query);
  }

  /** Brings them once more, by a replay. Asked twice, each is brought once. */
  @Post('redrive')
  @HttpCode(202)
  @Answers(202, redrivenView)
  redrive(@CurrentCaller() caller: Caller, @JsonBody(redrive) body: Redrive): Promise<RedrivenView> {
    return this.changing.redrive(caller, body);
  }

  /** Nobody wants them any more: they stay what they are, and no redrive or replay by outcome brings them. */
  @Post('discard')
  @HttpCode(200)
  @Answers(200, changedView)
  discard(@CurrentCaller() caller: Caller, @JsonBody(discard) body: Discard): Promise<ChangedView> {
    return this.changing.discard(caller, body);
  }

  /** Ranges and records of sources that nobody needs to see any more. */
  @Post('records/discard')
  @HttpCode(200)
  @Answers(200, discardedRecordsView)
  discardOthers(
    @CurrentCaller() caller: Caller,
    @JsonBody(discardRecords) body: DiscardRecords,
  ): Promise<DiscardedRecordsView> {
    return this.discarding.discard(caller, body);
  }
}
