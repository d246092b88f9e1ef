import { z } from 'zod';

/** One environment variable: its name, how its text becomes a value, and what a person needs to know to set it. */
export interface Setting<T> {
  env: string;
  /** Takes the text of the variable, or undefined where it is not set. */
  schema: z.ZodType<T, string | undefined>;
  /** One sentence, with the unit. */
  about: string;
  /** The default as it would be written in the environment; undefined where there is none. */
  fallback?: string;
  /** Never shown. */
  secret?: boolean;
}

interface Options<D> {
  default?: D;
  secret?: boolean;
}

function setting<T>(env: string, about: string, parse: z.ZodType<T, string>, options: Options<string>): Setting<T> {
  const fallback = options.default;
  const schema =
    fallback === undefined ? z.string({ error: 'is required' }).pipe(parse) : z.string().prefault(fallback).pipe(parse);
  return {
    env,
    about,
    schema,
    ...(fallback === undefined ? {} : { fallback }),
    ...(options.secret ? { secret: true } : {}),
  };
}

export const text = (env: string, about: string, options: Options<string> = {}): Setting<string> =>
  setting(env, about, z.string().min(1, 'must not be empty'), options);

/** A text that may be left out; undefined or empty means: not set. */
export const optionalText = (
  env: string,
  about: string,
  options: { secret?: boolean } = {},
): Setting<string | undefined> => ({
  env,
  about,
  schema: z
    .string()
    .optional()
    .transform((value) => (value === '' ? undefined : value)),
  ...options,
});

export const list = (env: string, about: string, options: Options<string> = {}): Setting<string[]> =>
  setting(
    env,
    `${about} Comma-separated.`,
    z.string().transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    ),
    options,
  );

export const flag = (env: string, about: string, options: { default: boolean }): Setting<boolean> =>
  setting(
    env,
    `${about} \`true\` or \`false\`.`,
    z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true'),
    { default: String(options.default) },
  );

export const choice = <const C extends readonly [string, ...string[]]>(
  env: string,
  about: string,
  choices: C,
  options: Options<C[number]> = {},
): Setting<C[number]> =>
  setting(
    env,
    `${about} One of ${choices.join(', ')}.`,
    z.enum(choices, { error: `must be one of ${choices.join(', ')}` }) as z.ZodType<C[number], string>,
    options,
  );

/** A whole number within limits. */
export const count = (
  env: string,
  about: string,
  options: { default?: number; min?: number; max?: number } = {},
): Setting<number> => {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  const parse = z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));
  return setting(env, about, parse, options.default === undefined ? {} : { default: String(options.default) });
};

const TIME_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const durationSchema = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'must be a time such as 250ms, 15s, 10m, 24h or 7d')
  .transform((value) => {
    const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(value) as unknown as [string, string, string];
    return Number(amount) * (TIME_UNITS[unit] as number);
  });

/** A time, written `250ms`, `15s`, `10m`, `24h`, `7d`; the value is in milliseconds. */
export const duration = (
  env: string,
  about: string,
  { max, ...options }: Options<string> & { max?: string } = {},
): Setting<number> => {
  if (max === undefined) return setting(env, about, durationSchema, options);
  const within = z.number().max(durationSchema.parse(max), `must be at most ${max}`);
  return setting(env, about, durationSchema.pipe(within), options);
};

/** Times, comma-separated; the values are in milliseconds. */
export const durations = (env: string, about: string, options: Options<string> = {}): Setting<number[]> =>
  setting(
    env,
    `${about} Comma-separated.`,
    z
      .string()
      .transform((value) => value.split(',').map((item) => item.trim()))
      .pipe(z.array(durationSchema).min(1)),
    options,
  );
