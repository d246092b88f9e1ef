import { Module, type DynamicModule } from '@nestjs/common';
import { AgeOutsController } from './agedout/age-outs.controller.js';
import { AgeOuts } from './agedout/age-outs.js';
import { AuditController } from './audit/audit.controller.js';
import { AuditService } from './audit/audit.service.js';
import { Authenticator } from './auth/authenticator.js';
import { DeadLetterChanging } from './deadletters/dead-letter-changing.js';
import { DeadLettersController } from './deadletters/dead-letters.controller.js';
import { RecordDiscarding } from './deadletters/record-discarding.js';
import { DeadLettersService } from './deadletters/dead-letters.service.js';
import { HistoryController } from './history/history.controller.js';
import { AttemptsService } from './history/attempts.service.js';
import { ExchangeService } from './history/exchange.service.js';
import { HistoryService } from './history/history.service.js';
import { SearchService } from './history/search.service.js';
import { KeysController } from './keys/keys.controller.js';
import { KeysService } from './keys/keys.service.js';
import { RecoveryController } from './replays/recovery.controller.js';
import { RecoveryService } from './replays/recovery.service.js';
import { PayloadsController } from './payloads/payloads.controller.js';
import { PayloadsService } from './payloads/payloads.service.js';
import { ReplaysController } from './replays/replays.controller.js';
import { ReplaysService } from './replays/replays.service.js';
import { StreamsController } from './streams/streams.controller.js';
import { StreamsService } from './streams/streams.service.js';
import { SubscriptionsController } from './subscriptions/subscriptions.controller.js';
import { SubscriptionsService } from './subscriptions/subscriptions.service.js';
import { TenantsController } from './tenants/tenants.controller.js';
import { TenantsService } from './tenants/tenants.service.js';
import { LogOffsets } from './topics/log-offsets.js';
import { TopicsController } from './topics/topics.controller.js';

/** What the controllers call, by the class that they ask for. */
export interface Services {
  authenticator: Authenticator;
  tenants: TenantsService;
  keys: KeysService;
  subscriptions: SubscriptionsService;
  history: HistoryService;
  search: SearchService;
  attempts: AttemptsService;
  exchanges: ExchangeService;
  payloads: PayloadsService;
  replays: ReplaysService;
  recovery: RecoveryService;
  deadLetters: DeadLettersService;
  changing: DeadLetterChanging;
  discarding: RecordDiscarding;
  audit: AuditService;
  log: LogOffsets;
  ageOuts: AgeOuts;
  streams: StreamsService;
}

@Module({})
export class AppModule {
  static with(services: Services): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        TenantsController,
        KeysController,
        SubscriptionsController,
        HistoryController,
        PayloadsController,
        ReplaysController,
        RecoveryController,
        DeadLettersController,
        AuditController,
        TopicsController,
        AgeOutsController,
        StreamsController,
      ],
      providers: [
        { provide: Authenticator, useValue: services.authenticator },
        { provide: TenantsService, useValue: services.tenants },
        { provide: KeysService, useValue: services.keys },
        { provide: SubscriptionsService, useValue: services.subscriptions },
        { provide: HistoryService, useValue: services.history },
        { provide: SearchService, useValue: services.search },
        { provide: AttemptsService, useValue: services.attempts },
        { provide: ExchangeService, useValue: services.exchanges },
        { provide: PayloadsService, useValue: services.payloads },
        { provide: ReplaysService, useValue: services.replays },
        { provide: RecoveryService, useValue: services.recovery },
        { provide: DeadLettersService, useValue: services.deadLetters },
        { provide: DeadLetterChanging, useValue: services.changing },
        { provide: RecordDiscarding, useValue: services.discarding },
        { provide: AuditService, useValue: services.audit },
        { provide: LogOffsets, useValue: services.log },
        { provide: AgeOuts, useValue: services.ageOuts },
        { provide: StreamsService, useValue: services.streams },
      ],
    };
  }
}
