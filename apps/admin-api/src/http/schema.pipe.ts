import type { PipeTransform } from '@nestjs/common';
import type { FieldError } from '@hookline/contracts';
import type { z } from 'zod';
import { invalid } from './problems.js';

/** Faults that one answer names: the rest of a request that is all wrong teaches nothing more. */
const MAX_FAULTS = 20;

/** Checks what came with a schema, and hands on what the schema made of it. */
export class SchemaPipe<T> implements PipeTransform<unknown, T> {
  constructor(private readonly schema: z.ZodType<T>) {}

  /** @throws ProblemError 400 that names each field at fault */
  transform(value: unknown): T {
    const result = this.schema.safeParse(value);
    if (result.success) return result.data;
    throw invalid(...result.error.issues.flatMap(toFieldErrors).slice(0, MAX_FAULTS));
  }
}

function toFieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ field: pathOf([...issue.path, key]), message: 'is not a known field' }));
  if (issue.code === 'invalid_key')
    return issue.issues.map((inner) => ({ field: pathOf(issue.path), message: inner.message }));
  const limit = 'maximum' in issue ? issue.maximum : 'minimum' in issue ? issue.minimum : undefined;
  return [
    {
      field: pathOf(issue.path),
      message: issue.message,
      ...(limit === undefined ? {} : { limit: Number(limit) }),
    },
  ];
}

/** `types[3]`, `from.offsets.0`; the whole body is `(body)`. */
function pathOf(path: readonly PropertyKey[]): string {
  const text = path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
  return text === '' ? '(body)' : text.slice(0, 200);
}
