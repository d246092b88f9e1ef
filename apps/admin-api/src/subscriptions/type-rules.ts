import type { FieldError } from '@hookline/contracts';
import { isTypePattern } from '@hookline/domain';

export interface TypeLimits {
  readonly maxTypes: number;
  readonly maxTypeLength: number;
}

/** What is wrong with types that someone subscribes to, or asks for. */
export function typeFaults(types: readonly string[], { maxTypes, maxTypeLength }: TypeLimits): FieldError[] {
  if (types.length === 0) return [{ field: 'types', message: 'must name at least one type or pattern', limit: 1 }];
  if (types.length > maxTypes) return [{ field: 'types', message: 'are too many', limit: maxTypes }];
  const faults = types.flatMap((type, index): FieldError[] => {
    const field = `types[${index}]`;
    if (type.length > maxTypeLength) return [{ field, message: 'is too long', limit: maxTypeLength }];
    return isTypePattern(type) ? [] : [{ field, message: 'must be an exact type, `prefix.*` or `*`' }];
  });
  if (new Set(types).size < types.length) faults.push({ field: 'types', message: 'name one pattern twice' });
  return faults;
}
