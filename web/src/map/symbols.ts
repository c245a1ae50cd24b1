/** Images of the map, drawn on a canvas: sources by shape and colour, clusters as a count with a breakdown. */
import type { Colour } from "@/shared/types";
import { COLOUR_ORDER, COLOURS } from "@/shared/words";

const RATIO = 2;

export interface Picture {
  data: ImageData;
  pixelRatio: number;
}

function canvas(width: number, height: number): [CanvasRenderingContext2D, () => Picture] {
  const element = document.createElement("canvas");
  element.width = Math.ceil(width * RATIO);
  element.height = Math.ceil(height * RATIO);
  const pen = element.getContext("2d", { willReadFrequently: true })!;
  pen.scale(RATIO, RATIO);
  return [pen, () => ({ data: pen.getImageData(0, 0, element.width, element.height), pixelRatio: RATIO })];
}

/** The outline of a colour's symbol: ◆ ▲ ■ ● ○, so that shape alone tells them apart. */
function outline(pen: CanvasRenderingContext2D, colour: Colour, x: number, y: number, r: number): void {
  pen.beginPath();
  if (colour === "red") {
    pen.moveTo(x, y - r);
    pen.lineTo(x + r, y);
    pen.lineTo(x, y + r);
    pen.lineTo(x - r, y);
    pen.closePath();
  } else if (colour === "orange") {
    pen.moveTo(x, y - r);
    pen.lineTo(x + r, y + r * 0.8);
    pen.lineTo(x - r, y + r * 0.8);
    pen.closePath();
  } else if (colour === "yellow") {
    pen.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
  } else {
    pen.arc(x, y, colour === "none" ? r * 0.62 : r * 0.85, 0, Math.PI * 2);
  }
}

function hatched(pen: CanvasRenderingContext2D, size: number): void {
  pen.save();
  pen.clip();
  pen.fillStyle = "#eef0f1";
  pen.fillRect(0, 0, size, size);
  pen.strokeStyle = "#79838b";
  pen.lineWidth = 1.4;
  pen.beginPath();
  for (let shift = -size; shift < size; shift += 4.5) {
    pen.moveTo(shift, size);
    pen.lineTo(shift + size, 0);
  }
  pen.stroke();
  pen.restore();
}

/** Name of a source's image: `source|red|stale`. */
export function sourceImage(colour: Colour, stale: boolean, selected: boolean): Picture {
  const size = 32;
  const [pen, done] = canvas(size, size);
  const r = { red: 11, orange: 10.5, yellow: 10, blue: 9, none: 8 }[colour];
  if (selected) {
    pen.beginPath();
    pen.arc(size / 2, size / 2, 14.5, 0, Math.PI * 2);
    pen.fillStyle = "#ffffffcc";
    pen.fill();
    pen.strokeStyle = "#1d2328";
    pen.lineWidth = 2;
    pen.stroke();
  }
  outline(pen, colour, size / 2, size / 2, r);
  if (stale) {
    hatched(pen, size);
    outline(pen, colour, size / 2, size / 2, r);
  } else {
    pen.fillStyle = COLOURS[colour].fill;
    pen.fill();
  }
  pen.strokeStyle = colour === "none" ? "#66717a" : "#1d2328";
  pen.lineWidth = colour === "none" ? 1.6 : 1.8;
  pen.stroke();
  return done();
}

/** Counts of a cluster by colour, in the order 红 橙 黄 蓝 无. */
export type Breakdown = [number, number, number, number, number];

/**
 * A cluster: grey plate, its count, and beneath it the share of each colour with its symbol for those that matter.
 * The plate is never coloured by its worst member: a province would turn red.
 */
export function clusterImage(breakdown: Breakdown): Picture {
  const total = breakdown.reduce((sum, one) => sum + one, 0);
  const shown = COLOUR_ORDER.slice(0, 4).flatMap((colour, i) => (breakdown[i] ? [{ colour, count: breakdown[i]! }] : []));
  const label = total >= 10_000 ? `${Math.round(total / 1000)}k` : String(total);
  const [measure] = canvas(1, 1);
  measure.font = "600 10px system-ui, sans-serif";
  const cells = shown.map((one) => ({ ...one, width: 13 + measure.measureText(String(one.count)).width }));
  measure.font = "700 14px system-ui, sans-serif";
  // Two by two from three colours on: a squarer plate covers less of its neighbours.
  const rows = cells.length > 2 ? [cells.slice(0, 2), cells.slice(2)] : cells.length ? [cells] : [];
  const span = (row: typeof cells) => row.reduce((sum, cell) => sum + cell.width + 4, -4);
  const inner = Math.max(measure.measureText(label).width + 10, ...rows.map(span), 24);
  const width = inner + 14;
  const height = 26 + rows.length * 14;
  const [pen, done] = canvas(width + 2, height + 2);
  pen.beginPath();
  pen.roundRect(1, 1, width, height, 5);
  pen.fillStyle = "#f6f7f8";
  pen.fill();
  pen.strokeStyle = "#4b555d";
  pen.lineWidth = 1.4;
  pen.stroke();
  pen.fillStyle = "#1d2328";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.font = "700 14px system-ui, sans-serif";
  pen.fillText(label, width / 2 + 1, 14.5);
  pen.textAlign = "left";
  pen.font = "600 10px system-ui, sans-serif";
  rows.forEach((row, index) => {
    const y = 30.5 + index * 14;
    let x = (width - span(row)) / 2 + 1;
    for (const cell of row) {
      outline(pen, cell.colour, x + 5, y, 4.6);
      pen.fillStyle = COLOURS[cell.colour].fill;
      pen.fill();
      pen.strokeStyle = "#1d2328";
      pen.lineWidth = 0.9;
      pen.stroke();
      pen.fillStyle = "#1d2328";
      pen.fillText(String(cell.count), x + 12, y + 0.5);
      x += cell.width + 4;
    }
  });
  return done();
}

/** The picture of an image name the style asks for, or null when the name is none of ours. */
export function picture(name: string): Picture | null {
  const [kind, ...rest] = name.split("|");
  if (kind === "source") return sourceImage((rest[0] ?? "none") as Colour, rest[1] === "true", rest[2] === "true");
  if (kind === "cluster") {
    const counts = rest.map(Number);
    if (counts.length === 5 && counts.every(Number.isFinite)) return clusterImage(counts as Breakdown);
  }
  return null;
}
