import { Module, type DynamicModule } from '@nestjs/common';
import { AgeOutsController } from './agedout/age-outs.controller.js';
import { AgeOuts } from './agedout/age-outs.js';
import { Authenticator } from './auth/authenticator.js';
import { HistoryController } from './history/history.controller.js';
import { HistoryService } from './history/history.service.js';
import { KeysController } from './keys/keys.controller.js';
import { KeysService } from './keys/keys.service.js';
import { RecoveryController } from './replays/recovery.controller.js';
import { RecoveryService } from './replays/recovery.service.js';
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
  replays: ReplaysService;
  recovery: RecoveryService;
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
        ReplaysController,
        RecoveryController,
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
        { provide: ReplaysService, useValue: services.replays },
        { provide: RecoveryService, useValue: services.recovery },
        { provide: LogOffsets, useValue: services.log },
        { provide: AgeOuts, useValue: services.ageOuts },
        { provide: StreamsService, useValue: services.streams },
      ],
    };
  }
}
