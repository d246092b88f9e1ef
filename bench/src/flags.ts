import { parseArgs } from 'node:util';

/** One thing that can be said on the command line. */
export interface Flag<T> {
  about: string;
  fallback: T;
  /** @throws Error that says what it must be, without the flag's name */
  read(text: string): T;
}

/** By their names in code: `latencySeconds` is `--latency-seconds`. */
export type Flags = Record<string, Flag<unknown>>;
export type Values<F extends Flags> = { [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

/** A whole number of at least 1, or of at least `min`. */
export function whole(fallback: number, about: string, min = 1): Flag<number> {
  return {
    about,
    fallback,
    read: (text) => {
      const value = Number(text);
      if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < min)
        throw new Error(`is a whole number of at least ${min}, not ${text}`);
      return value;
    },
  };
}

/** Three for figures that mean something, one for a quick look. */
export function brokers(): Flag<1 | 3> {
  return {
    about: 'copies of everything, 1 or 3',
    fallback: 3,
    read: (text) => {
      if (text !== '1' && text !== '3') throw new Error('is 1 or 3');
      return text === '1' ? 1 : 3;
    },
  };
}

export function file(about: string): Flag<string | undefined> {
  return { about, fallback: undefined, read: (text) => text };
}

/** @throws Error that names the flag */
export function parseFlags<F extends Flags>(flags: F, args: readonly string[]): Values<F> {
  const spelled = Object.keys(flags).map((name) => [spell(name), { type: 'string' }] as const);
  const { values } = parseArgs({ args: [...args], options: Object.fromEntries(spelled) });
  const read = Object.entries(flags).map(([name, flag]) => {
    const text = values[spell(name)];
    try {
      return [name, typeof text === 'string' ? flag.read(text) : flag.fallback];
    } catch (error) {
      throw new Error(`--${spell(name)} ${(error as Error).message}`, { cause: error });
    }
  });
  return Object.fromEntries(read) as Values<F>;
}

export function describeFlags(flags: Flags): string {
  const lines = Object.entries(flags).map(([name, { about, fallback }]) => {
    const shown = fallback === undefined ? '' : ` (${String(fallback)})`;
    return `  --${spell(name).padEnd(20)} ${about}${shown}\n`;
  });
  return lines.join('');
}

function spell(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
