/** The hazard sources of the map: their order, their counts, the settings of the map. Pure. */
import type { Colour } from "@/shared/types";
import { COLOUR_ORDER, COLOURS } from "@/shared/words";

export interface MapSource extends GeoJSON.Feature<GeoJSON.Point> {
  properties: {
    code: string;
    name: string;
    level: number | null;
    colour: Colour;
    score: number | null;
    enterprise: string | { code: string; name: string };
    active_alarms: number;
    stale: boolean;
    simulated: boolean;
  };
}

/** Colour first, then score, then alarms: a floor can lift the colour above what the score says. */
export function worstFirst(features: readonly MapSource[]): MapSource[] {
  return [...features].sort(
    ({ properties: a }, { properties: b }) =>
      (COLOURS[b.colour]?.rank ?? 0) - (COLOURS[a.colour]?.rank ?? 0) ||
      (b.score ?? -1) - (a.score ?? -1) ||
      b.active_alarms - a.active_alarms ||
      a.code.localeCompare(b.code),
  );
}

/** Those with a place. A source without coordinates stays in the list and is missing on the map only. */
export function placed(features: readonly MapSource[]): MapSource[] {
  return features.filter((one) => (one.geometry as GeoJSON.Point | null)?.coordinates?.every(Number.isFinite));
}

export function byColour(features: readonly MapSource[]): Record<Colour, number> {
  const counts = Object.fromEntries(COLOUR_ORDER.map((colour) => [colour, 0])) as Record<Colour, number>;
  for (const { properties } of features) counts[properties.colour in counts ? properties.colour : "none"] += 1;
  return counts;
}

export function enterpriseName(source: MapSource): string {
  const { enterprise } = source.properties;
  return typeof enterprise === "string" ? enterprise : (enterprise?.name ?? "");
}

/** A header may carry its words percent-encoded, since headers speak no Chinese. */
export function headerWords(value: string | null): string {
  if (!value) return "";
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

const NEAR = 13;
const NEAREST = 16;

/** The zoom at which a source stands apart from its nearest neighbour: close enough to see it, no closer than needed. */
export function apartAt(source: MapSource, all: readonly MapSource[], pixels: number): number {
  const [lon, lat] = source.geometry.coordinates as [number, number];
  const stretch = Math.cos((lat * Math.PI) / 180);
  let least = Infinity;
  for (const other of placed(all)) {
    if (other.properties.code === source.properties.code) continue;
    const [x, y] = other.geometry.coordinates as [number, number];
    least = Math.min(least, Math.hypot(x - lon, (y - lat) / stretch));
  }
  // The world is 512 pixels wide at zoom 0; clusters are formed at whole zooms.
  const needed = Math.ceil(Math.log2((pixels * 1.2 * 360) / (512 * least)));
  return Math.min(NEAREST, Math.max(NEAR, needed));
}
