/** Where each source's cell stands: regions one after the other in columns of equal cells. Pure. */
export interface Band {
  region: string;
  top: number;
  rows: number;
  cells: number[];
}
export interface Layout {
  cell: number;
  columns: number;
  bands: Band[];
  height: number;
}

export const LABEL = 18;
const GAP = 6;
const LARGEST = 22;
const SMALLEST = 5;

/** The largest cells with which everything fits into `height`; when even the smallest do not fit, the page scrolls. */
export function layout(regions: Map<string, number[]>, width: number, height: number): Layout {
  for (let cell = LARGEST; ; cell--) {
    const made = laid(regions, width, cell);
    if (made.height <= height || cell === SMALLEST) return made;
  }
}

function laid(regions: Map<string, number[]>, width: number, cell: number): Layout {
  const columns = Math.max(1, Math.floor(width / cell));
  let top = 0;
  const bands: Band[] = [];
  for (const [region, cells] of regions) {
    const rows = Math.ceil(cells.length / columns);
    bands.push({ region, top: top + LABEL, rows, cells });
    top += LABEL + rows * cell + GAP;
  }
  return { cell, columns, bands, height: top };
}

/** The place of a cell, or of the source under a point of the canvas. */
export function placeOf(made: Layout, band: Band, k: number): [number, number] {
  return [(k % made.columns) * made.cell, band.top + Math.floor(k / made.columns) * made.cell];
}

export function sourceAt(made: Layout, x: number, y: number): number | null {
  const column = Math.floor(x / made.cell);
  if (column < 0 || column >= made.columns) return null;
  for (const band of made.bands) {
    const row = Math.floor((y - band.top) / made.cell);
    if (row >= 0 && row < band.rows) return band.cells[row * made.columns + column] ?? null;
  }
  return null;
}
