import { Get, Inject, Param } from '@nestjs/common';
import { TOPICS } from '@hookline/contracts';
import { Answers, ApiController } from '../http/api-controller.js';
import { notFound } from '../http/problems.js';
import { QueryOf } from '../http/request.decorators.js';
import { LogOffsets } from './log-offsets.js';
import { millisOf } from './timestamp.js';
import { offsetsQuery, offsetsView, type OffsetsQuery, type OffsetsView } from './topics.schemas.js';

@ApiController('v1/topics', 'Topics')
export class TopicsController {
  constructor(@Inject(LogOffsets) private readonly log: LogOffsets) {}

  @Get(':topic/offsets')
  @Answers(200, offsetsView)
  async offsets(@Param('topic') topic: string, @QueryOf(offsetsQuery) query: OffsetsQuery): Promise<OffsetsView> {
    if (topic !== TOPICS.events) throw notFound('topic that can be replayed');
    const bounds = await this.log.bounds(topic);
    const at = query.timestamp === undefined ? undefined : await this.log.at(topic, millisOf(query.timestamp));
    return {
      topic,
      partitions: bounds.map(({ partition, low, high }) => ({
        partition,
        earliest: low,
        latest: high,
        ...(at === undefined ? {} : { at: at.get(partition) ?? high }),
      })),
    };
  }
}
