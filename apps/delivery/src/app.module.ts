import { Module, type DynamicModule } from '@nestjs/common';
import { LogController } from './log.controller.js';
import { DeliveryWorker } from './worker.js';

@Module({})
export class AppModule {
  static with(worker: DeliveryWorker): DynamicModule {
    return {
      module: AppModule,
      controllers: [LogController],
      providers: [{ provide: DeliveryWorker, useValue: worker }],
    };
  }
}
