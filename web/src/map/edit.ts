/** Drawing on the map: the shape that is drawn, and how it becomes GeoJSON. Pure. */
export interface Draft {
  kind: "polygon" | "point";
  active: boolean;
  /** Corners without the closing one, CGCS2000. */
  points: [number, number][];
}

export interface Located {
  lon: number;
  lat: number;
  in: Record<"cgcs2000" | "wgs84" | "gcj02", [number, number]>;
  county: { code: string; name: string } | null;
  verdict: "inside" | "outside" | "unknown";
  warning: string;
  attribution: string;
}

export interface Ring {
  people: number | null;
  complete: boolean;
  basis: string;
  boundary: "polygon" | "point" | "none";
  distance_m: number;
  targets: { name: string; kind: string; people: number | null; distance_m: number; inside: boolean; lon: number; lat: number }[];
  ring: GeoJSON.Geometry | null;
}

export const NOTHING: Draft = { kind: "polygon", active: false, points: [] };

/** What is filed, as corners to go on with: the outer ring of a polygon, or the place. */
export function drawn(row: Record<string, unknown> | undefined, field: string): [number, number][] {
  if (!row) return [];
  if (!field) return typeof row.lon === "number" && typeof row.lat === "number" ? [[row.lon, row.lat]] : [];
  const shape = row[field] as GeoJSON.Geometry | undefined;
  if (shape?.type !== "Polygon") return [];
  return (shape.coordinates[0] ?? []).slice(0, -1).map(([lon, lat]) => [lon!, lat!]);
}

export function polygonOf(points: readonly [number, number][]): GeoJSON.Polygon {
  return { type: "Polygon", coordinates: [[...points, points[0]!].map((point) => [...point])] };
}

/** The draft as the map shows it: the area, its edge, its corners by number. */
export function draftShapes(draft: Draft): GeoJSON.FeatureCollection {
  const features: GeoJSON.Feature[] = draft.points.map((point, n) => ({ type: "Feature", geometry: { type: "Point", coordinates: point }, properties: { n } }));
  if (draft.kind === "polygon" && draft.points.length >= 3) features.unshift({ type: "Feature", geometry: polygonOf(draft.points), properties: {} });
  else if (draft.kind === "polygon" && draft.points.length === 2) features.unshift({ type: "Feature", geometry: { type: "LineString", coordinates: draft.points }, properties: {} });
  return { type: "FeatureCollection", features };
}
