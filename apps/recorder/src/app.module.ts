import { Module } from '@nestjs/common';

/** The recorder serves nothing of its own: health and metrics are the platform's. */
@Module({})
export class AppModule {}
