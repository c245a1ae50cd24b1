"""Bringing a made-up province into the registry, through the same checks as everything else."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import shapely
from sqlalchemy import select

from hazwatch.identity.model import SYSTEM, NodeKind
from hazwatch.identity.regions import regions
from hazwatch.records.engine import reading
from hazwatch.registry.desk import RegistryDesk
from hazwatch.registry.files.bulk import fill
from hazwatch.registry.files.service import Reason
from hazwatch.registry.service import ImportResult, seed
from hazwatch.registry.synthetic.files import make_files
from hazwatch.registry.synthetic.model import County, Made, Size
from hazwatch.registry.synthetic.registry_rows import make_rows
from hazwatch.registry.tables import RegistryVersion

#: Corners of counties nearer than this, degrees, are taken as one: finding a place inside goes ten times faster.
_COARSE = 0.005
_NAME = "合成数据"


@dataclass(frozen=True, slots=True)
class Filled:
    """What was brought in: the import of the registry, files that were filled."""

    result: ImportResult
    files: int


def counties_of(province: str) -> tuple[County, ...]:
    """Counties of a province, and the cities that have none.

    Raises:
        ValueError: there is no such province.
    """
    cities = {region.adcode: region for region in regions(NodeKind.CITY, province)}
    found = [region for region in regions(NodeKind.COUNTY, province) if region.adcode not in cities]
    with_counties = {region.adcode[:4] for region in found if not region.adcode.startswith(f"{province[:2]}90")}
    found += [city for code, city in cities.items() if code[:4] not in with_counties]
    return tuple(
        County(
            region.adcode, region.name,
            cities[code].name if (code := region.adcode[:4] + "00") in cities else "",
            shapely.simplify(region.geometry, _COARSE),
        )
        for region in sorted(found, key=lambda region: region.adcode)
    )  # fmt: skip


def make(seed_number: int, size: Size, counties: tuple[County, ...]) -> Made:
    """Make a province: the same for the same seed, size and counties."""
    province = make_rows(Random(seed_number), size, counties)
    return Made(province.description(), make_files(Random(seed_number + 1), province))


def bring_in(desk: RegistryDesk, province: str, seed_number: int, size: Size) -> Filled:
    """Make a province and bring it in. Doing it again with the same seed changes nothing.

    Raises:
        ValueError: a size that cannot be, rows that the registry refuses, or another made-up province is there already.
    """
    name = f"{_NAME} seed={seed_number} {size.enterprises}/{size.sources}/{size.points}"
    with reading(desk.sessions) as session:
        # scope: node-internal because only the program itself makes provinces up
        held = session.scalars(select(RegistryVersion.file_name).where(RegistryVersion.file_name.startswith(_NAME)))
        other = next((one for one in held if one != name), None)
    if other is not None:
        raise ValueError(f"这里已有另一份合成数据({other}),两份的编码会相撞;请换一个数据目录")
    made = make(seed_number, size, counties_of(province))
    result = seed(desk, SYSTEM, made.description, name)
    return Filled(result, fill(desk, SYSTEM, made.files, Reason("生成合成数据", name)))
