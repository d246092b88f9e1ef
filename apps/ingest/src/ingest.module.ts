import { Module, type DynamicModule } from '@nestjs/common';
import { EventReader } from './event-reader.js';
import { EventsController } from './events.controller.js';
import { Publisher } from './publisher.js';

@Module({})
export class IngestModule {
  static with(reader: EventReader, publisher: Publisher): DynamicModule {
    return {
      module: IngestModule,
      controllers: [EventsController],
      providers: [
        { provide: EventReader, useValue: reader },
        { provide: Publisher, useValue: publisher },
      ],
    };
  }
}
