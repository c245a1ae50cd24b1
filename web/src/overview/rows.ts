/** How an answer of `overview/state` is laid out (docs/api.md): two counts, then rows of 12 bytes each. */
const ROW = 12;
const HEAD = 8;
export const LEVEL_NONE = 0;

export interface Part {
  sources: number;
  points: number;
  sourceOf(k: number): number;
  colour(k: number): number;
  stale(k: number): number;
  score(k: number): number;
  point(k: number): number;
  value(k: number): number;
  level(k: number): number;
  state(k: number): number;
}

export function readPart(body: ArrayBuffer): Part {
  const view = new DataView(body);
  if (body.byteLength < HEAD) throw new Error("态势数据不完整");
  const sources = view.getUint32(0, true);
  const points = view.getUint32(4, true);
  if (body.byteLength !== HEAD + (sources + points) * ROW) throw new Error("态势数据不完整");
  const source = (k: number) => HEAD + k * ROW;
  const point = (k: number) => HEAD + (sources + k) * ROW;
  return {
    sources,
    points,
    sourceOf: (k) => view.getUint32(source(k), true),
    colour: (k) => view.getUint8(source(k) + 4),
    stale: (k) => view.getUint8(source(k) + 5),
    score: (k) => view.getFloat32(source(k) + 6, true),
    point: (k) => view.getUint32(point(k), true),
    value: (k) => view.getFloat32(point(k) + 4, true),
    level: (k) => view.getInt8(point(k) + 8),
    state: (k) => view.getUint8(point(k) + 9),
  };
}
