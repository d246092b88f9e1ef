export interface Table {
  /** A line above it. */
  title?: string;
  head: readonly string[];
  rows: readonly (readonly (string | number)[])[];
}

/** The first column to the left, the others to the right. */
export function formatTable({ title, head, rows }: Table): string {
  const lines = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const formatted = lines.map((cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join('  ')
      .trimEnd(),
  );
  return [...(title === undefined ? [] : [title]), ...formatted].join('\n');
}
