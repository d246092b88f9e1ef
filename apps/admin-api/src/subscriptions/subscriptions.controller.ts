import { Delete, Get, Headers, HttpCode, Inject, Param, Patch, Post, Res } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { etagOf, type Reply } from '../http/etag.js';
import { pageOf, type Page } from '../http/page.js';
import { JsonBody, QueryOf } from '../http/request.decorators.js';
import {
  changedSubscriptionView,
  createSubscription,
  listSubscriptions,
  newSubscriptionView,
  patchSubscription,
  subscriptionView,
  type ChangedSubscriptionView,
  type CreateSubscription,
  type ListSubscriptions,
  type NewSubscriptionView,
  type PatchSubscription,
  type SubscriptionView,
} from './subscriptions.schemas.js';
import { SubscriptionsService } from './subscriptions.service.js';

const IF_MATCH = { name: 'If-Match', required: false, description: 'The ETag that the change is meant for; else 412.' };

@ApiController('v1/webhooks/subscriptions', 'Subscriptions')
export class SubscriptionsController {
  constructor(@Inject(SubscriptionsService) private readonly subscriptions: SubscriptionsService) {}

  @Post()
  @Answers(201, newSubscriptionView)
  async create(
    @CurrentCaller() caller: Caller,
    @JsonBody(createSubscription) body: CreateSubscription,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<NewSubscriptionView> {
    return tagged(reply, await this.subscriptions.create(caller, body));
  }

  @Get()
  @Answers(200, pageOf(subscriptionView))
  list(
    @CurrentCaller() caller: Caller,
    @QueryOf(listSubscriptions) query: ListSubscriptions,
  ): Promise<Page<SubscriptionView>> {
    return this.subscriptions.list(caller, query);
  }

  @Get(':id')
  @Answers(200, subscriptionView)
  async get(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<SubscriptionView> {
    return tagged(reply, await this.subscriptions.get(caller, id));
  }

  @Patch(':id')
  @ApiHeader(IF_MATCH)
  @Answers(200, changedSubscriptionView)
  async patch(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @JsonBody(patchSubscription) body: PatchSubscription,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ChangedSubscriptionView> {
    return tagged(reply, await this.subscriptions.patch(caller, id, body, ifMatch));
  }

  /** What comes from now on is held, and so is what waits. One that is paused stays as it is. */
  @Post(':id/pause')
  @ApiHeader(IF_MATCH)
  @HttpCode(200)
  @Answers(200, changedSubscriptionView)
  async pause(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ChangedSubscriptionView> {
    return tagged(reply, await this.subscriptions.pause(caller, id, ifMatch));
  }

  /** Goes on where it was paused, or disabled. One that is enabled stays as it is. */
  @Post(':id/resume')
  @ApiHeader(IF_MATCH)
  @HttpCode(200)
  @Answers(200, changedSubscriptionView)
  async resume(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ChangedSubscriptionView> {
    return tagged(reply, await this.subscriptions.resume(caller, id, ifMatch));
  }

  @Delete(':id')
  @ApiHeader(IF_MATCH)
  @HttpCode(204)
  delete(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch: string | undefined,
  ): Promise<void> {
    return this.subscriptions.delete(caller, id, ifMatch);
  }
}

function tagged<V extends SubscriptionView>(reply: Reply, view: V): V {
  reply.header('etag', etagOf(view.version));
  return view;
}
