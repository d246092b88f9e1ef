import { Get, Inject } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { QueryOf } from '../http/request.decorators.js';
import { auditView, listAudit, type AuditView, type ListAudit } from './audit.schemas.js';
import { AuditService } from './audit.service.js';

@ApiController('v1/audit', 'Audit')
export class AuditController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  /** Newest first. */
  @Get()
  @Answers(200, pageOf(auditView))
  list(@CurrentCaller() caller: Caller, @QueryOf(listAudit) query: ListAudit): Promise<Page<AuditView>> {
    return this.audit.list(caller, query);
  }
}
