import type { Finding } from '../bench.js';
import type { Aim } from './aim.js';
import type { Machine } from './machine.js';
import { formatTable } from './table.js';

/** Of which benchmark, when and where. */
export interface Occasion {
  name: string;
  date: string;
  machine: Machine;
}

/** More than a machine does that has nothing to do. */
const BUSY_PERCENT = 10;

/** The result as a person reads it. */
export function present({ machine, date }: Occasion, { setting, tables, notes, aims, faults }: Finding): string {
  const sections = [
    [
      `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}; Node ${machine.node}, ` +
        `Kafka ${machine.kafka}; ${date}`,
      setting,
      ...(machine.busyBeforePercent > BUSY_PERCENT
        ? [`THE MACHINE WAS BUSY: others used ${machine.busyBeforePercent} % of it before; these figures say little.`]
        : []),
    ],
    ...tables.map((table) => [formatTable(table)]),
    notes,
    aims.map(presentAim),
    faults.length === 0
      ? ['Nothing is lost, and nothing came more often than it may.']
      : faults.map((fault) => `FAULT: ${fault}`),
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `\n${text.join('\n\n')}\n\n`;
}

/** The result as a program reads it. */
export function toJson(occasion: Occasion, options: object, { setting, aims, faults, figures }: Finding): string {
  const all = { ...occasion, options, setting, ...figures, aims, faults, ok: faults.length === 0 };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

function presentAim({ what, value, aim, met }: Aim): string {
  return `${what}: ${value} (aim ${aim}: ${met ? 'met' : 'MISSED'})`;
}
