/** MapLibre with its worker taken from this bundle. */
import { Map, NavigationControl, Popup, ScaleControl, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";

setWorkerUrl(workerUrl);

export default { Map, NavigationControl, Popup, ScaleControl };
export type { GeoJSONSource, Map, MapLayerMouseEvent, Popup } from "maplibre-gl";
