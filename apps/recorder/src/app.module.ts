import { Module, type DynamicModule } from '@nestjs/common';
import { LogController } from './log.controller.js';
import { Recorder } from './recorder.js';

@Module({})
export class AppModule {
  static with(recorder: Recorder): DynamicModule {
    return {
      module: AppModule,
      controllers: [LogController],
      providers: [{ provide: Recorder, useValue: recorder }],
    };
  }
}
