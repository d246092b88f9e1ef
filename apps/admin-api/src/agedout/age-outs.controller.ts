import { Get, Inject } from '@nestjs/common';
import { OperatorOnly } from '../auth/auth.guard.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { AgeOuts } from './age-outs.js';
import { ageOutsView, toAgeOutView, toRecorderGapView, type AgeOutsView } from './age-outs.schemas.js';

@ApiController('v1/age-outs', 'Status')
@OperatorOnly()
export class AgeOutsController {
  constructor(@Inject(AgeOuts) private readonly ageOuts: AgeOuts) {}

  @Get()
  @Answers(200, ageOutsView)
  async list(): Promise<AgeOutsView> {
    const [items, gaps] = await Promise.all([this.ageOuts.list(), this.ageOuts.recorderGaps()]);
    return { items: items.map(toAgeOutView), recorderGaps: gaps.map(toRecorderGapView) };
  }
}
