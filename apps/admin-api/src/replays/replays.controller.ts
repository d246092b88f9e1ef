import { Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { JsonBody, QueryOf } from '../http/request.decorators.js';
import {
  createReplay,
  listReplays,
  replayProgress,
  replayView,
  type CreateReplay,
  type ListReplays,
  type ReplayProgress,
  type ReplayView,
} from './replays.schemas.js';
import { ReplaysService } from './replays.service.js';

@ApiController('v1/replays', 'Replays')
export class ReplaysController {
  constructor(@Inject(ReplaysService) private readonly replays: ReplaysService) {}

  @Post()
  @HttpCode(202)
  @Answers(202, replayProgress)
  create(@CurrentCaller() caller: Caller, @JsonBody(createReplay) body: CreateReplay): Promise<ReplayProgress> {
    return this.replays.create(caller, body);
  }

  @Get()
  @Answers(200, pageOf(replayView))
  list(@CurrentCaller() caller: Caller, @QueryOf(listReplays) query: ListReplays): Promise<Page<ReplayView>> {
    return this.replays.list(caller, query);
  }

  @Get(':id')
  @Answers(200, replayProgress)
  get(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ReplayProgress> {
    return this.replays.get(caller, id);
  }

  @Post(':id/pause')
  @HttpCode(200)
  @Answers(200, replayProgress)
  pause(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ReplayProgress> {
    return this.replays.pause(caller, id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @Answers(200, replayProgress)
  resume(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<ReplayProgress> {
    return this.replays.resume(caller, id);
  }

  @Delete(':id')
  @HttpCode(204)
  cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    return this.replays.cancel(caller, id);
  }
}
