import { Get, Inject, Param } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { QueryOf } from '../http/request.decorators.js';
import {
  deliveryView,
  deliveryWithAttempts,
  eventQuery,
  eventView,
  listDeliveries,
  type DeliveryView,
  type DeliveryWithAttempts,
  type EventQuery,
  type EventView,
  type ListDeliveries,
} from './history.schemas.js';
import { HistoryService } from './history.service.js';

@ApiController('v1', 'History')
export class HistoryController {
  constructor(@Inject(HistoryService) private readonly history: HistoryService) {}

  @Get('events/:id')
  @Answers(200, eventView)
  event(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @QueryOf(eventQuery) query: EventQuery,
  ): Promise<EventView> {
    return this.history.event(caller, id, query);
  }

  @Get('deliveries')
  @Answers(200, pageOf(deliveryView))
  deliveries(
    @CurrentCaller() caller: Caller,
    @QueryOf(listDeliveries) query: ListDeliveries,
  ): Promise<Page<DeliveryView>> {
    return this.history.list(caller, query);
  }

  @Get('deliveries/:id')
  @Answers(200, deliveryWithAttempts)
  delivery(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<DeliveryWithAttempts> {
    return this.history.delivery(caller, id);
  }
}
