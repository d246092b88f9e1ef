import type { ServerResponse } from 'node:http';
import { Get, Header, Inject, Res } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { PROBLEM_CONTENT_TYPE } from '@hookline/contracts';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { jsonSchema } from '../http/json-schema.js';
import { QueryOf } from '../http/request.decorators.js';
import { gapProblem, streamPage, streamQuery, type StreamQueryFields } from './streams.schemas.js';
import { StreamsService } from './streams.service.js';

const GAP = {
  status: 410,
  description: 'Something between the cursor and what can still be read is gone.',
  content: { [PROBLEM_CONTENT_TYPE]: { schema: jsonSchema(gapProblem, 'output') } },
};

@ApiController('v1/streams', 'Streams')
export class StreamsController {
  constructor(@Inject(StreamsService) private readonly streams: StreamsService) {}

  /** As bytes, for the data of the events is not ours to write anew. */
  @Get('events')
  @Header('content-type', 'application/json; charset=utf-8')
  @Header('cache-control', 'no-store')
  @Answers(200, streamPage)
  @ApiResponse(GAP)
  events(
    @CurrentCaller() caller: Caller,
    @QueryOf(streamQuery) query: StreamQueryFields,
    @Res({ passthrough: true }) reply: { raw: ServerResponse },
  ): Promise<Buffer> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    return this.streams.poll(caller, query, gone.signal);
  }
}
