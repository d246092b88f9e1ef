import { Controller, Get, Header, HttpException, Inject, Module, type DynamicModule } from '@nestjs/common';
import { HealthRegistry, type HealthReport } from './health.js';
import { Metrics } from './metrics.js';

@Controller()
class HealthController {
  constructor(
    @Inject(HealthRegistry) private readonly health: HealthRegistry,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Get('healthz')
  healthz(): HealthReport {
    return answer(this.health.liveness());
  }

  @Get('readyz')
  readyz(): HealthReport {
    return answer(this.health.readiness());
  }

  @Get('metrics')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  text(): Promise<string> {
    return this.metrics.text();
  }
}

function answer(report: HealthReport): HealthReport {
  if (!report.ok) throw new HttpException(report, 503);
  return report;
}

/** `/healthz`, `/readyz` and `/metrics`, the same for every role. */
@Module({})
export class PlatformModule {
  static with(health: HealthRegistry, metrics: Metrics): DynamicModule {
    return {
      module: PlatformModule,
      controllers: [HealthController],
      providers: [
        { provide: HealthRegistry, useValue: health },
        { provide: Metrics, useValue: metrics },
      ],
    };
  }
}
