import { Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { CurrentCaller } from '../auth/auth.guard.js';
import type { Caller } from '../auth/caller.js';
import { Answers, ApiController } from '../http/api-controller.js';
import { pageOf, type Page } from '../http/page.js';
import { JsonBody, QueryOf } from '../http/request.decorators.js';
import {
  createKey,
  keyView,
  listKeys,
  newKeyView,
  type CreateKey,
  type KeyView,
  type ListKeys,
  type NewKeyView,
} from './keys.schemas.js';
import { KeysService } from './keys.service.js';

@ApiController('v1/tenants/:tenantId/keys', 'API keys')
export class KeysController {
  constructor(@Inject(KeysService) private readonly keys: KeysService) {}

  @Post()
  @Answers(201, newKeyView)
  create(
    @CurrentCaller() caller: Caller,
    @Param('tenantId') tenantId: string,
    @JsonBody(createKey) body: CreateKey,
  ): Promise<NewKeyView> {
    return this.keys.create(caller, tenantId, body);
  }

  @Get()
  @Answers(200, pageOf(keyView))
  list(
    @CurrentCaller() caller: Caller,
    @Param('tenantId') tenantId: string,
    @QueryOf(listKeys) query: ListKeys,
  ): Promise<Page<KeyView>> {
    return this.keys.list(caller, tenantId, query);
  }

  @Get(':id')
  @Answers(200, keyView)
  get(@CurrentCaller() caller: Caller, @Param('tenantId') tenantId: string, @Param('id') id: string): Promise<KeyView> {
    return this.keys.get(caller, tenantId, id);
  }

  @Delete(':id')
  @HttpCode(204)
  revoke(@CurrentCaller() caller: Caller, @Param('tenantId') tenantId: string, @Param('id') id: string): Promise<void> {
    return this.keys.revoke(caller, tenantId, id);
  }
}
