import { z } from 'zod';

/** Control characters, and halves of a surrogate pair: PostgreSQL takes no NUL, and JSON there no half of a pair. */
const UNPRINTABLE = /[\p{Cc}\p{Surrogate}]/u;

/** PostgreSQL's texts hold no NUL: nothing with one can be found. */
export function isStorable(text: string): boolean {
  return !text.includes('\0');
}

/** One line of text for people to read. */
export function line(maxLength: number): z.ZodString {
  return z
    .string()
    .max(maxLength, `must have ${maxLength} characters at most`)
    .refine((text) => !UNPRINTABLE.test(text), 'must not contain control characters');
}

/** As {@link line}, and not empty. */
export function label(maxLength: number): z.ZodString {
  return line(maxLength).refine((text) => text.trim() !== '', 'must not be empty');
}
