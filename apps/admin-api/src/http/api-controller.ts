import { applyDecorators, Controller, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse, ApiResponse, ApiTags } from '@nestjs/swagger';
import { PROBLEM_CONTENT_TYPE } from '@hookline/contracts';
import { z } from 'zod';
import { AuthGuard } from '../auth/auth.guard.js';
import { JsonOnlyGuard } from './json-only.guard.js';
import { jsonSchema } from './json-schema.js';

const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  errors: z.array(z.object({ field: z.string(), message: z.string(), limit: z.number().optional() })).optional(),
});

/** A controller of the API: only with a token or a key, only JSON, every error a problem. */
export function ApiController(path: string, tag: string): ClassDecorator {
  return applyDecorators(
    Controller(path),
    UseGuards(AuthGuard, JsonOnlyGuard),
    ApiTags(tag),
    ApiBearerAuth(),
    ApiDefaultResponse({
      description: 'A problem (RFC 9457).',
      content: { [PROBLEM_CONTENT_TYPE]: { schema: jsonSchema(problemSchema, 'output') } },
    }),
  );
}

/** What a successful call answers with; the schema is the one that the view's type comes from. */
export function Answers(status: number, schema: z.ZodType): MethodDecorator {
  return ApiResponse({ status, description: '', schema: jsonSchema(schema, 'output') });
}
