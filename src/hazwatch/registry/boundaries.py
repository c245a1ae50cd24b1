"""Boundaries of the configured province as GeoJSON, made once per layer and kept as bytes."""

from __future__ import annotations

import json
from functools import lru_cache

import shapely

from hazwatch.identity.model import NodeKind
from hazwatch.identity.regions import ATTRIBUTION, regions

#: Decimals of a coordinate: 4 are about ten metres, enough for a map of a province.
DECIMALS = 4

LAYERS = (NodeKind.PROVINCE, NodeKind.CITY, NodeKind.COUNTY)


@lru_cache(maxsize=6)
def boundaries(layer: NodeKind, province: str) -> bytes:
    """A FeatureCollection of the regions of a layer, CGCS2000.

    Raises:
        ValueError: there is no such province.
    """
    features = [
        {
            "type": "Feature",
            "properties": {"adcode": region.adcode, "name": region.name, "lon": region.lon, "lat": region.lat},
            "geometry": shapely.geometry.mapping(shapely.transform(region.geometry, lambda xy: xy.round(DECIMALS))),
        }
        for region in regions(layer, province)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4490"}}
    collection = {"type": "FeatureCollection", "crs": crs, "attribution": ATTRIBUTION, "features": features}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()
