/** The style of the map, built here: no tile server, no glyph server, no sprite. */
import type { ExpressionSpecification, StyleSpecification } from "maplibre-gl";
import { COLOUR_ORDER } from "@/shared/words";

export const FONT = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, PingFang SC, sans-serif";

export interface Boundaries {
  city: GeoJSON.FeatureCollection;
  county: GeoJSON.FeatureCollection;
}

/** Labels stand at the label point of the boundary, not at its centroid: they need a source of their own. */
export function labels(boundaries: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: boundaries.features.flatMap((feature) => {
      const { lon, lat, name } = (feature.properties ?? {}) as { lon?: number; lat?: number; name?: string };
      if (typeof lon !== "number" || typeof lat !== "number" || !name) return [];
      return [{ type: "Feature" as const, geometry: { type: "Point" as const, coordinates: [lon, lat] }, properties: { name } }];
    }),
  };
}

/** Sources nearer to each other than this, in pixels, are shown as one plate; from zoom 16 on each stands alone. */
export const CLUSTER_RADIUS = 52;

export const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

const count = (colour: string): ExpressionSpecification => ["+", ["case", ["==", ["get", "colour"], colour], 1, 0]] as unknown as ExpressionSpecification;
const clusterProperties = Object.fromEntries(COLOUR_ORDER.map((colour) => [colour, count(colour)]));

export function mapStyle(boundaries: Boundaries): StyleSpecification {
  return {
    version: 8,
    sources: {
      city: { type: "geojson", data: boundaries.city },
      county: { type: "geojson", data: boundaries.county },
      "city-label": { type: "geojson", data: labels(boundaries.city) },
      "county-label": { type: "geojson", data: labels(boundaries.county) },
      sources: { type: "geojson", data: EMPTY, cluster: true, clusterRadius: CLUSTER_RADIUS, clusterMaxZoom: 15, clusterProperties },
      chosen: { type: "geojson", data: EMPTY },
      sites: { type: "geojson", data: EMPTY },
      ring: { type: "geojson", data: EMPTY },
      draft: { type: "geojson", data: EMPTY },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": "#d3d8db" } },
      { id: "land", type: "fill", source: "city", paint: { "fill-color": "#eceeef" } },
      {
        id: "county-line",
        type: "line",
        source: "county",
        paint: { "line-color": "#a8b1b7", "line-width": ["interpolate", ["linear"], ["zoom"], 6, 0.5, 10, 1.3] },
      },
      {
        id: "city-line",
        type: "line",
        source: "city",
        paint: { "line-color": "#838d95", "line-width": ["interpolate", ["linear"], ["zoom"], 6, 1, 10, 2.2] },
      },
      {
        id: "site",
        type: "fill",
        source: "sites",
        minzoom: 9,
        filter: ["!=", ["get", "layer"], "control"],
        paint: { "fill-color": "#4b555d", "fill-opacity": ["match", ["get", "layer"], "site", 0.16, "park", 0.07, "source", 0.22, 0.05] },
      },
      {
        id: "site-line",
        type: "line",
        source: "sites",
        minzoom: 9,
        filter: ["!=", ["get", "layer"], "control"],
        paint: { "line-color": "#4b555d", "line-width": ["match", ["get", "layer"], "park", 2, 1.2] },
      },
      {
        id: "control-line",
        type: "line",
        source: "sites",
        minzoom: 9,
        filter: ["==", ["get", "layer"], "control"],
        paint: { "line-color": "#4b555d", "line-width": 1.6, "line-dasharray": [3, 2] },
      },
      { id: "ring", type: "line", source: "ring", paint: { "line-color": "#2f4a5c", "line-width": 2, "line-dasharray": [4, 3] } },
      { id: "draft", type: "fill", source: "draft", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": "#2f4a5c", "fill-opacity": 0.2 } },
      { id: "draft-line", type: "line", source: "draft", paint: { "line-color": "#2f4a5c", "line-width": 2.4 } },
      {
        id: "draft-corner",
        type: "circle",
        source: "draft",
        filter: ["==", ["geometry-type"], "Point"],
        paint: { "circle-radius": 6, "circle-color": "#ffffff", "circle-stroke-color": "#2f4a5c", "circle-stroke-width": 2.4 },
      },
      {
        id: "county-name",
        type: "symbol",
        source: "county-label",
        minzoom: 7.8,
        layout: { "text-field": ["get", "name"], "text-font": ["local"], "text-size": ["interpolate", ["linear"], ["zoom"], 8, 11.5, 11, 14], "text-padding": 4 },
        paint: { "text-color": "#66717a", "text-halo-color": "#eceeef", "text-halo-width": 1.4 },
      },
      {
        id: "city-name",
        type: "symbol",
        source: "city-label",
        maxzoom: 9.6,
        layout: { "text-field": ["get", "name"], "text-font": ["local"], "text-size": ["interpolate", ["linear"], ["zoom"], 6, 13, 9, 17], "text-letter-spacing": 0.12 },
        paint: { "text-color": "#4b555d", "text-halo-color": "#eceeef", "text-halo-width": 1.6 },
      },
      {
        id: "clusters",
        type: "symbol",
        source: "sources",
        filter: ["has", "point_count"],
        layout: {
          "icon-image": ["concat", "cluster", ...COLOUR_ORDER.flatMap((colour) => ["|", ["to-string", ["get", colour]]] as never[])] as ExpressionSpecification,
          "icon-allow-overlap": true,
        },
      },
      {
        id: "sources",
        type: "symbol",
        source: "sources",
        filter: ["!", ["has", "point_count"]],
        layout: {
          "icon-image": ["concat", "source|", ["get", "colour"], "|", ["to-string", ["boolean", ["get", "stale"], false]], "|false"],
          "icon-allow-overlap": true,
          "symbol-sort-key": ["coalesce", ["get", "score"], 0],
          "text-field": ["step", ["zoom"], "", 11, ["get", "name"]],
          "text-font": ["local"],
          "text-size": 12,
          "text-variable-anchor": ["top", "bottom", "left", "right"],
          "text-radial-offset": 1.3,
          "text-justify": "auto",
          "text-optional": true,
        },
        paint: { "text-color": "#1d2328", "text-halo-color": "#f6f7f8", "text-halo-width": 1.4 },
      },
      {
        id: "selected",
        type: "symbol",
        source: "chosen",
        minzoom: 11.5,
        layout: {
          "icon-image": ["concat", "source|", ["get", "colour"], "|", ["to-string", ["boolean", ["get", "stale"], false]], "|true"],
          "icon-allow-overlap": true,
        },
      },
    ],
  };
}

/** The smallest box around all coordinates, or null when there are none. */
export function extent(collections: GeoJSON.FeatureCollection[]): [number, number, number, number] | null {
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number" && typeof part[1] === "number") {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
    } else part.forEach(walk);
  };
  for (const collection of collections) {
    for (const feature of collection.features) if (feature.geometry && "coordinates" in feature.geometry) walk(feature.geometry.coordinates);
  }
  return box[0] <= box[2] ? box : null;
}
