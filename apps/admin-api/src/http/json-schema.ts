import type { ApiBodyOptions } from '@nestjs/swagger';
import { z } from 'zod';

/** What the OpenAPI document takes for a schema. */
export type SchemaObject = Exclude<Extract<ApiBodyOptions, { schema: unknown }>['schema'], { $ref: string }>;

/** A zod schema as OpenAPI 3.1 wants it, which is JSON Schema; `input` is what a caller sends, `output` what it gets. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): SchemaObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as SchemaObject;
}
