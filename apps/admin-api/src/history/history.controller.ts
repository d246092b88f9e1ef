import { Get, Inject, Param } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { QueryOf } from '../http/request.decorators.js';
import { AttemptsService } from './attempts.service.js';
import { exchangeView, type ExchangeView } from './exchange.schemas.js';
import { ExchangeService } from './exchange.service.js';
import {
  attemptsPage,
  deliveryView,
  deliveryWithAttempts,
  eventQuery,
  eventsPage,
  eventView,
  listAttempts,
  listDeliveries,
  listEvents,
  type AttemptView,
  type DeliveryView,
  type DeliveryWithAttempts,
  type EventQuery,
  type EventSummary,
  type EventView,
  type ListAttempts,
  type ListDeliveries,
  type ListEvents,
} from './history.schemas.js';
import { HistoryService } from './history.service.js';
import { SearchService } from './search.service.js';

@ApiController('v1', 'History')
export class HistoryController {
  constructor(
    @Inject(HistoryService) private readonly history: HistoryService,
    @Inject(SearchService) private readonly search: SearchService,
    @Inject(AttemptsService) private readonly attemptLists: AttemptsService,
    @Inject(ExchangeService) private readonly exchanges: ExchangeService,
  ) {}

  /** Newest first. */
  @Get('events')
  @Answers(200, eventsPage)
  events(@CurrentCaller() caller: Caller, @QueryOf(listEvents) query: ListEvents): Promise<Page<EventSummary>> {
    return this.search.events(caller, query);
  }

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

  /** The request and the answer of an attempt, secrets masked. */
  @Get('deliveries/:id/attempts/:attemptId')
  @Answers(200, exchangeView)
  attempt(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('attemptId') attemptId: string,
  ): Promise<ExchangeView> {
    return this.exchanges.exchange(caller, id, attemptId);
  }

  @Get('attempts')
  @Answers(200, attemptsPage)
  attempts(@CurrentCaller() caller: Caller, @QueryOf(listAttempts) query: ListAttempts): Promise<Page<AttemptView>> {
    return this.attemptLists.page(caller, query);
  }
}
