/** What a figure should be. One that is missed is said to be missed, and is no error: machines differ. */
export interface Aim {
  what: string;
  value: number;
  /** e.g. `≤ 1.2` */
  aim: string;
  met: boolean;
}

export function atMost(what: string, value: number, limit: number, unit = ''): Aim {
  return { what, value, aim: `≤ ${limit}${unit}`, met: value <= limit };
}

export function atLeast(what: string, value: number, limit: number, unit = ''): Aim {
  return { what, value, aim: `≥ ${limit}${unit}`, met: value >= limit };
}

/** With two decimals; NaN, which meets no aim, where there is nothing to compare with. */
export function ratio(value: number, base: number): number {
  return base > 0 ? Math.round((value * 100) / base) / 100 : NaN;
}
