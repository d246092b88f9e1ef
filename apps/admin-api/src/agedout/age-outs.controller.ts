import { Get, Inject } from '@nestjs/common';
import { OperatorOnly } from '../auth/auth.guard.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { AgeOuts } from './age-outs.js';
import { ageOutsView, toAgeOutView, type AgeOutsView } from './age-outs.schemas.js';

@ApiController('v1/age-outs', 'Status')
@OperatorOnly()
export class AgeOutsController {
  constructor(@Inject(AgeOuts) private readonly ageOuts: AgeOuts) {}

  @Get()
  @Answers(200, ageOutsView)
  async list(): Promise<AgeOutsView> {
    return { items: (await this.ageOuts.list()).map(toAgeOutView) };
  }
}
