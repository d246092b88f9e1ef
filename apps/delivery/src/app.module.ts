import { Module } from '@nestjs/common';

/** The worker serves nothing of its own: health and metrics are the platform's. */
@Module({})
export class AppModule {}
