import { Get, Inject, Param, Post } from '@nestjs/common';
import { OperatorOnly } from '../auth/auth.guard.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { JsonBody, QueryOf } from '../http/request.decorators.js';
import {
  createTenant,
  listTenants,
  tenantView,
  type CreateTenant,
  type ListTenants,
  type TenantView,
} from './tenants.schemas.js';
import { TenantsService } from './tenants.service.js';

@ApiController('v1/tenants', 'Tenants')
@OperatorOnly()
export class TenantsController {
  constructor(@Inject(TenantsService) private readonly tenants: TenantsService) {}

  @Post()
  @Answers(201, tenantView)
  create(@JsonBody(createTenant) body: CreateTenant): Promise<TenantView> {
    return this.tenants.create(body);
  }

  @Get()
  @Answers(200, pageOf(tenantView))
  list(@QueryOf(listTenants) query: ListTenants): Promise<Page<TenantView>> {
    return this.tenants.list(query);
  }

  @Get(':id')
  @Answers(200, tenantView)
  get(@Param('id') id: string): Promise<TenantView> {
    return this.tenants.get(id);
  }
}
