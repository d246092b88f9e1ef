import type { Chance } from './random.js';
import type { Manager } from './load/manager.js';
import type { Place } from './load/way.js';
import type { Publishers } from './load/publishers.js';
import type { Need, Site } from './site/site.js';

/** What a fault has to find under way, for it to have been of any use. */
export type Work = 'publishes' | 'attempts' | 'history' | 'changes' | 'outbox';

/** What a fault may look at while it is at work. */
export interface Victim {
  site: Site;
  chance: Chance;
  load: Publishers;
  manager: Manager;
  /** A remark for the report. */
  note(text: string): void;
  /** What the log has let go of unread: nobody can deliver that. */
  gone: GoneRange[];
  /** What the log has let go of, read or not: what is held of it never comes. */
  letGo: GoneRange[];
}

/** Offsets of `hookline.events`: `from` inclusive, `to` exclusive. */
export interface GoneRange {
  partition: number;
  from: number;
  to: number;
}

export const isIn = ({ partition, offset }: Place, ranges: readonly GoneRange[]): boolean =>
  ranges.some((range) => range.partition === partition && range.from <= offset && offset < range.to);

/** Makes good what was broken; resolves when everything runs again. */
export type Heal = () => Promise<void>;

/** One way in which something breaks. */
export interface Fault {
  name: string;
  /** One line. */
  about: string;
  needs?: readonly Need[];
  /** How much work of each of these must be in flight when it strikes. */
  finds: Work;
  /** For how long it lasts, s: from, to. */
  lasts: readonly [from: number, to: number];
  /** Nothing that is in flight then is to be delivered again. */
  repeatsNothing?: boolean;
  /** Why it can't be run here; undefined where it can. */
  hindrance?(): string | undefined;
  strike(victim: Victim): Promise<Heal>;
}
