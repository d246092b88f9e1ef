import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { EventReader } from './event-reader.js';
import { Publisher, type Accepted } from './publisher.js';
import type { PublishRequest } from './requests.js';

/** What is used of fastify's reply. */
interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body: string): void;
}

const NO_BODY = Buffer.alloc(0);

@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(EventReader) private readonly reader: EventReader,
    @Inject(Publisher) private readonly publisher: Publisher,
  ) {}

  @Post()
  async one(@Req() request: PublishRequest, @Res() reply: Reply): Promise<void> {
    const event = this.reader.one(request.body ?? NO_BODY);
    accepted(reply, await this.publisher.one(request.tenant, event));
  }

  @Post('batch')
  async batch(@Req() request: PublishRequest, @Res() reply: Reply): Promise<void> {
    const events = this.reader.batch(request.body ?? NO_BODY);
    accepted(reply, { events: await this.publisher.batch(request.tenant, events) });
  }
}

function accepted(reply: Reply, body: Accepted | { events: Accepted[] }): void {
  reply.code(202).header('content-type', 'application/json').send(JSON.stringify(body));
}
