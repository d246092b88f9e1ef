import type { Setting } from './setting.js';

export interface Section<T> {
  title: string;
  settings: { readonly [K in keyof T]: Setting<T[K]> };
}

/** Names a group of settings; the type of its values is inferred from them. */
export function section<T>(title: string, settings: { readonly [K in keyof T]: Setting<T[K]> }): Section<T> {
  return { title, settings };
}

export type ConfigOf<M> = { readonly [K in keyof M]: M[K] extends Section<infer T> ? Readonly<T> : never };

/** Every setting at fault, one a line. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`The configuration can't be used:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  }
}

/**
 * Reads the sections from the environment.
 * @throws ConfigError with every fault at once, so that a person mends all of them in one go
 */
export function loadConfig<M extends Record<string, Section<unknown>>>(
  sections: M,
  env: Readonly<Record<string, string | undefined>>,
): ConfigOf<M> {
  const faults: string[] = [];
  const config: Record<string, Record<string, unknown>> = {};
  for (const [name, { settings }] of Object.entries(sections)) {
    const values: Record<string, unknown> = {};
    for (const [key, setting] of Object.entries(settings as Record<string, Setting<unknown>>)) {
      const result = setting.schema.safeParse(env[setting.env]);
      if (result.success) values[key] = result.data;
      else
        faults.push(
          `${setting.env} ${result.error.issues.map((issue) => issue.message).join(', ')} (${setting.about})`,
        );
    }
    config[name] = values;
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return config as ConfigOf<M>;
}

/** The settings as a Markdown table, for the docs. */
export function describeSections(sections: Record<string, Section<unknown>>): string {
  const parts = Object.values(sections).map(({ title, settings }) => {
    const rows = Object.values(settings as Record<string, Setting<unknown>>).map(
      (s) => `| \`${s.env}\` | ${defaultOf(s)} | ${s.about} |`,
    );
    return [`### ${title}`, '', '| Variable | Default | What it does |', '|---|---|---|', ...rows].join('\n');
  });
  return `${parts.join('\n\n')}\n`;
}

function defaultOf({ fallback, schema }: Setting<unknown>): string {
  if (fallback === undefined) return schema.safeParse(undefined).success ? 'not set' : '**required**';
  return fallback === '' ? 'empty' : `\`${fallback}\``;
}
