import { Module } from '@nestjs/common';

/** What relays is plain classes; the platform's routes are all that it answers. */
@Module({})
export class RelayModule {}
