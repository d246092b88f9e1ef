import { Body, Query } from '@nestjs/common';
import { ApiBody, ApiQuery } from '@nestjs/swagger';
import type { z } from 'zod';
import { jsonSchema } from './json-schema.js';
import { SchemaPipe } from './schema.pipe.js';

/** The JSON body, checked by the schema, which is also what the OpenAPI document says of it. */
export function JsonBody<T>(schema: z.ZodType<T>): ParameterDecorator {
  return (target, key, index) => {
    Body(new SchemaPipe(schema))(target, key, index);
    document(ApiBody({ schema: jsonSchema(schema, 'input'), required: true }), target, key);
  };
}

/** The query's parameters, checked by an object's schema, each of them documented. */
export function QueryOf<T>(schema: z.ZodObject & z.ZodType<T>): ParameterDecorator {
  return (target, key, index) => {
    Query(new SchemaPipe<T>(schema))(target, key, index);
    for (const [name, field] of Object.entries(schema.shape)) {
      const { description, ...rest } = jsonSchema(field as z.ZodType, 'input');
      const required = !(field as z.ZodType).safeParse(undefined).success;
      document(ApiQuery({ name, required, schema: rest, ...(description ? { description } : {}) }), target, key);
    }
  };
}

/** A parameter's decorator that says something about its method. */
function document(decorator: MethodDecorator, target: object, key: string | symbol | undefined): void {
  if (key === undefined) return;
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  if (descriptor) decorator(target, key, descriptor);
}
