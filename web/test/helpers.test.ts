import { describe, expect, it } from "vitest";
import { joined, recent, standing, ticks, valueAt, type Replay } from "@/alarms/replayed";
import { arrow, belongs, equipmentName, rings, said, waits, worstRinging, type Filters } from "@/alarms/rules";
import { bounds, draw } from "@/history/ranges";
import { apartAt, worstFirst, headerWords, type MapSource } from "@/map/places";
import { extent, labels, mapStyle, EMPTY } from "@/map/style";
import { detailText } from "@/identity/detail";
import { rowNames, share, shapeOf, shortName, tankForm } from "@/registry/equipment";
import { layout, placeOf, sourceAt } from "@/overview/grid";
import { readPart } from "@/overview/rows";
import { nextBelow } from "@/risk/bounds";
import { evenColumns } from "@/shared/columns";
import { clock, decimals, delay, duration, number, plain, setZone, stamp } from "@/shared/format";
import { withQuery } from "@/shared/http";
import { keyName } from "@/shared/keys";
import type { Alarm, AlarmState, HistoryRow } from "@/shared/types";
import { holds } from "@/shared/words";

const alarm = (id: number | string, state: AlarmState, more: Partial<Alarm> = {}): Alarm =>
  ({ id: String(id), state, kind: "process", level: "H", priority: 2, source: "s", enterprise: "e", found_late: false, ...more }) as Alarm;
const open: Filters = { show: "open", q: "", level: "", kind: "", source: "", enterprise: "" };

describe("format", () => {
  it("shows times in the zone of the server", () => {
    setZone("Asia/Shanghai");
    expect(clock("2026-11-23T07:00:05.000Z")).toBe("15:00:05");
    expect(stamp("2025-12-31T17:00:00Z", Date.parse("2026-11-23T00:00:00Z"))).toBe("2026-01-01 01:00:00".slice(5));
    expect(stamp("2024-01-01T00:00:00Z", Date.parse("2026-11-23T00:00:00Z"))).toBe("2024-01-01 08:00:00");
    expect(clock(null)).toBe("—");
  });
  it("words lengths of time", () => {
    expect([8, 75, 3600 * 3 + 300, 86400 * 2].map(duration)).toEqual(["8 秒", "1 分 15 秒", "3 小时 5 分", "2 天 0 小时"]);
    expect([420, 1234, 120_000].map(delay)).toEqual(["420 ms", "1.2 s", "2 分"]);
  });
  it("never shows a minus zero, nor a number that is none", () => {
    expect(number(-0.01, 1)).toBe("0.0");
    expect(number(-0.06, 1)).toBe("-0.1");
    expect(number(NaN)).toBe("—");
    expect(plain(1.5)).toBe("1.5");
  });
  it("gives digits that fit the span", () => {
    expect([0.01, 1.5, 14.5, 100, 5000].map(decimals)).toEqual([4, 2, 1, 1, 0]);
  });
});

describe("alarm list", () => {
  it("lets only unacknowledged alarms ring, never those found late, nor those silenced in this room", () => {
    expect(rings(alarm(1, "unacknowledged"), "4109")).toBe(true);
    expect(rings(alarm(1, "acknowledged"), "4109")).toBe(false);
    expect(rings(alarm(1, "unacknowledged", { found_late: true }), "4109")).toBe(false);
    expect(rings(alarm(1, "unacknowledged", { silenced_in: ["4109"] }), "4109")).toBe(false);
    expect(rings(alarm(1, "unacknowledged", { silenced_in: ["41"] }), "4109")).toBe(true);
    expect([worstRinging({ "1": 0, "2": 3, "3": 9 }), worstRinging({ "1": 0, "2": 0, "3": 0 })]).toEqual([2, 0]);
    expect(waits(alarm(1, "latched_unacknowledged"))).toBe(true);
  });
  it("filters as the server does", () => {
    expect(belongs(alarm(1, "returned_unacknowledged"), { ...open, show: "unacknowledged" })).toBe(true);
    expect(belongs(alarm(1, "normal"), open)).toBe(false);
    expect(belongs(alarm(1, "shelved"), open)).toBe(false);
    expect(belongs(alarm(1, "suppressed"), { ...open, show: "aside" })).toBe(true);
    expect(belongs(alarm(1, "unacknowledged"), { ...open, priority: "1" })).toBe(false);
    expect(belongs(alarm(1, "normal"), { ...open, show: "closed", source: "t" })).toBe(false);
  });
  it("has arrows, no triangles: those are warning colours", () => {
    expect((["HH", "H", "L", "LL"] as const).map(arrow)).toEqual(["↑↑", "↑", "↓", "↓↓"]);
  });
});

describe("replay", () => {
  const iso = (s: number) => new Date(s * 1000).toISOString();
  const line = (id: string, s: number, what: string, to_state: AlarmState) => ({ id, event_time: iso(s), what, to_state, level: "H" }) as Replay["lines"][number];
  const part = (lines: Replay["lines"]): Replay => ({
    alarms: { a: alarm("a", "normal", { event_time: iso(0) }), b: alarm("b", "normal", { event_time: iso(20), priority: 1 }) },
    at_start: { a: { state: "unacknowledged", level: "H", value: 8 } },
    lines,
    next_from: null,
  });
  const replay = joined([part([line("a", 10, "acknowledge", "acknowledged"), line("b", 20, "raise", "unacknowledged")]), part([line("a", 30, "return", "normal")])]);
  const states = (s: number) => standing(replay, s * 1000).map((one) => [one.alarm.id, one.state]);
  it("shows states as they were at the moment, not as they are now", () => {
    expect(states(5)).toEqual([["a", "unacknowledged"]]);
    expect(states(10)).toEqual([["a", "acknowledged"]]);
    expect(states(25)).toEqual([["b", "unacknowledged"], ["a", "acknowledged"]]);
    expect(states(40)).toEqual([["b", "unacknowledged"]]);
  });
  it("tells what happened just before, and where the slider has something to show", () => {
    expect(recent(replay, 25_000, 10_000).map((one) => one.what)).toEqual(["raise"]);
    expect(ticks(replay, 0, 40_000, 4)).toEqual([{ share: 0.5, priority: 1 }]);
  });
  it("gives the value that stood then, and none that is too old", () => {
    const rows: HistoryRow[] = [[1000, 1, 1, 1, 1, 1, 0], [5000, 2, 2, 2, 2, 1, 0]];
    expect(valueAt(rows, 4999, 60_000)?.value).toBe(1);
    expect(valueAt(rows, 5000, 60_000)?.value).toBe(2);
    expect(valueAt(rows, 500, 60_000)).toBeNull();
    expect(valueAt(rows, 80_000, 60_000)).toBeNull();
  });
  it("names equipment by its code", () => {
    expect(equipmentName("410902001001G0001")).toBe("储罐 G0001");
  });
});

describe("trend", () => {
  const row = (ms: number, value: number, quality = 0): HistoryRow => [ms, value, value, value, value, 1, quality];
  const series = (rows: HistoryRow[], step = 1) => ({ step, source: "raw" as const, rows });
  it("breaks the line over gaps and over bad quality", () => {
    const drawn = draw(series([row(0, 1), row(1000, 2), row(200_000, 3), row(201_000, 4, 7), row(202_000, 4, 7), row(203_000, 5)], 0));
    expect(drawn.count).toBe(4);
    expect(drawn.gaps).toEqual([[1000, 200_000]]);
    expect(drawn.bad).toEqual([[201_000, 203_000]]);
    expect(drawn.line.filter(([, value]) => value === null)).toHaveLength(3);
  });
  it("sees no gap where an unchanged value waited for the heartbeat", () => {
    expect(draw(series([row(0, 1), row(60_000, 1), row(120_000, 1)], 5)).gaps).toEqual([]);
    expect(draw({ ...series([row(0, 1), row(300_000, 1)], 60), source: "minute" }).gaps).toHaveLength(1);
    expect(draw({ ...series([row(0, 1), row(300_000, 1)], 5), hold_s: 300 }).gaps).toEqual([]);
  });
  it("draws a step from its good samples and still marks it", () => {
    const drawn = draw(series([row(0, 1), row(5000, 2, 3), [10_000, null, null, null, null, 0, 7], row(15_000, 3)], 5));
    expect(drawn.line.map(([, value]) => value)).toEqual([1, 2, null, 3]);
    expect(drawn.bad).toEqual([[5000, 15_000]]);
  });
  it("keeps values beyond the range: they are judged", () => {
    expect(draw(series([row(0, 1, 1), row(1000, 2, 2)])).count).toBe(2);
  });
  it("shows the limit a value may run into, and not those far away", () => {
    const at = (value: number) => bounds(draw(series([row(0, value), row(1000, value)])), { ll: 0.8, l: 1.5, h: 11.5, hh: 12.5 })!;
    const [low, high] = at(11.6);
    expect(low).toBeGreaterThan(11);
    expect(high).toBeGreaterThan(12.5);
    const [across] = bounds(draw(series([row(0, 11.4), row(1000, 11.6)])), { ll: 0.8, l: 1.5, h: 11.5, hh: 12.5 })!;
    expect(across).toBeGreaterThan(11);
    expect(at(7)[0]).toBeLessThan(1.5);
    expect(at(7)[1]).toBeGreaterThan(11.5);
    expect(bounds(draw(series([])), { ll: null, l: null, h: 1, hh: null })).toBeNull();
  });
});

describe("equipment", () => {
  it("knows forms and shapes", () => {
    expect(["球罐", "卧式", "内浮顶", "固定顶", null].map(tankForm)).toEqual(["sphere", "horizontal", "floating", "vertical", "vertical"]);
    expect(shapeOf({ code: "410900001001Q0001", kind: "", points: [] })).toBe("gas");
    expect(shapeOf({ code: "410900001001G0001", kind: "储罐", points: [] })).toBe("other");
  });
  it("places a value on its range", () => {
    expect(share(5, { range_low: 0, range_high: 10 })).toBe(0.5);
    expect(share(50, { range_low: 0, range_high: 10 })).toBe(1);
    expect(share(5, { range_low: null, range_high: 10 })).toBeNull();
    expect(share(null, { range_low: 0, range_high: 10 })).toBeNull();
  });
});

describe("risk and map", () => {
  it("says what would make it calmer", () => {
    expect(nextBelow(66, "orange")).toEqual({ word: "「黄」", below: 55, held: false });
    expect(nextBelow(25, "orange")).toEqual({ word: "「黄」", below: 55, held: true });
    expect(nextBelow(25, "blue")).toEqual({ word: "无预警", below: 15, held: false });
    expect(nextBelow(3, "none")).toBeNull();
  });
  const place = (code: string, colour: string, score: number): MapSource =>
    ({ type: "Feature", geometry: { type: "Point", coordinates: [113, 34] }, properties: { code, colour, score, active_alarms: 0 } }) as unknown as MapSource;
  it("sorts by colour before score, since a floor may lift the colour", () => {
    expect(worstFirst([place("a", "yellow", 59), place("b", "orange", 50), place("c", "yellow", 41)]).map((one) => one.properties.code)).toEqual(["b", "a", "c"]);
  });
  it("asks no other host for anything", () => {
    expect(JSON.stringify(mapStyle({ city: EMPTY, county: EMPTY }))).not.toMatch(/https?:|glyphs|sprite/);
  });
  it("labels boundaries at their label points and finds the extent", () => {
    const area: GeoJSON.FeatureCollection = {
      type: "FeatureCollection",
      features: [{ type: "Feature", properties: { name: "甲市", lon: 1, lat: 2 }, geometry: { type: "Polygon", coordinates: [[[0, 0], [4, 0], [4, 6], [0, 0]]] } }],
    };
    expect(labels(area).features[0]!.geometry).toEqual({ type: "Point", coordinates: [1, 2] });
    expect(extent([area])).toEqual([0, 0, 4, 6]);
    expect(extent([EMPTY])).toBeNull();
    expect(headerWords("%E5%A4%A9")).toBe("天");
    expect(headerWords("100%")).toBe("100%");
  });
});

describe("shared", () => {
  it("builds queries without empty parts", () => {
    expect(withQuery("alarms", { q: "", level: ["H", "HH"], page: 1, kind: undefined })).toBe("/api/v1/alarms?level=H&level=HH&page=1");
  });
  it("leaves no orphan in a grid of cards", () => {
    expect([evenColumns(6, 5), evenColumns(8, 11), evenColumns(40, 11), evenColumns(0, 5), evenColumns(3, 0)]).toEqual([3, 8, 10, 1, 1]);
  });
  it("names keys", () => {
    expect([" ", "A", "/", "ArrowUp"].map((key) => keyName({ key }))).toEqual(["Space", "a", "/", "ArrowUp"]);
  });
  it("reads the detail of an audit entry", () => {
    expect(detailText({ counts: { 企业: { new: 5, changed: 0 } }, file: "a.xlsx", sha256: "x" })).toBe("企业 新增 5,文件 a.xlsx");
    expect(detailText({ ids: ["a", "b"], note: "" })).toBe("条数 2");
    expect(detailText("text")).toBe("text");
  });
  it("does not repeat the name of the equipment", () => {
    expect(shortName({ name: "甲醇储罐T-101进料阀位" }, { name: "甲醇储罐T-101" })).toBe("进料阀位");
    expect(shortName({ name: "甲醇储罐T-101" }, { name: "甲醇储罐T-101" })).toBe("甲醇储罐T-101");
  });
  it("orders roles", () => {
    expect(holds("admin", "engineer")).toBe(true);
    expect(holds("viewer", "operator")).toBe(false);
  });
});

describe("what is known after the last row", () => {
  const raw = { step: 0, source: "raw" as const, rows: [[0, 5, 5, 5, 5, 1, 0]] as HistoryRow[] };
  it("draws a confirmed value up to now, and hatches what nothing confirms", () => {
    expect(draw(raw, { until: 900_000, confirmed: true }).line.at(-1)).toEqual([900_000, 5]);
    expect(draw(raw, { until: 900_000, confirmed: false }).gaps).toEqual([[0, 900_000]]);
    expect(draw({ ...raw, hold_s: 3_600 }, { until: 900_000, confirmed: false }).line.at(-1)).toEqual([900_000, 5]);
    expect(draw(raw, { until: 900_000, confirmed: true }).count).toBe(1);
  });
});

describe("names and words", () => {
  it("never calls two points of one piece of equipment the same", () => {
    const points = [{ code: "a", name: "罐流量", tag: "FT-1" }, { code: "b", name: "罐流量", tag: "FT-2" }, { code: "c", name: "罐液位", tag: "LT" }];
    expect([...rowNames({ name: "罐", points } as never).values()]).toEqual(["流量 FT-1", "流量 FT-2", "液位"]);
  });
  it("words the quality code of a quality alarm", () => {
    expect(said({ kind: "quality", unit: "m" }, 4)).toEqual({ text: "数据冻结", unit: "" });
    expect(said({ kind: "process", unit: "m" }, 4)).toEqual({ text: "4", unit: "m" });
  });
});

describe("zoom to one source", () => {
  it("goes as near as its neighbours ask for", () => {
    const at = (code: string, lon: number): MapSource => ({ type: "Feature", geometry: { type: "Point", coordinates: [lon, 35] }, properties: { code } }) as MapSource;
    const here = at("a", 115);
    expect(apartAt(here, [here, at("b", 115.1)], 52)).toBe(13);
    expect(apartAt(here, [here, at("b", 115.001)], 52)).toBe(16);
    expect(apartAt(here, [here, at("b", 115)], 52)).toBe(16);
    expect(apartAt(here, [here], 52)).toBe(13);
  });
});

describe("the overview", () => {
  const rows = (sources: number[][], points: number[][]): ArrayBuffer => {
    const body = new ArrayBuffer(8 + 12 * (sources.length + points.length));
    const view = new DataView(body);
    view.setUint32(0, sources.length, true);
    view.setUint32(4, points.length, true);
    sources.forEach(([source, colour, stale, score], k) => {
      view.setUint32(8 + 12 * k, source!, true);
      view.setUint8(8 + 12 * k + 4, colour!);
      view.setUint8(8 + 12 * k + 5, stale!);
      view.setFloat32(8 + 12 * k + 6, score!, true);
    });
    points.forEach(([point, value, level, state], k) => {
      const at = 8 + 12 * (sources.length + k);
      view.setUint32(at, point!, true);
      view.setFloat32(at + 4, value!, true);
      view.setInt8(at + 8, level!);
      view.setUint8(at + 9, state!);
    });
    return body;
  };

  it("reads rows as the server lays them out", () => {
    const part = readPart(rows([[7, 4, 1, 82.5]], [[460_000, 9.5, -2, 2]]));
    expect([part.sourceOf(0), part.colour(0), part.stale(0), part.score(0)]).toEqual([7, 4, 1, 82.5]);
    expect([part.point(0), part.value(0), part.level(0), part.state(0)]).toEqual([460_000, 9.5, -2, 2]);
  });

  it("refuses half an answer", () => {
    expect(() => readPart(rows([], [[1, 1, 0, 0]]).slice(0, 15))).toThrow("不完整");
  });

  it("gives 23,000 sources cells that fit, and finds each again under the mouse", () => {
    const regions = new Map([
      ["410100", Array.from({ length: 15_000 }, (_, k) => k)],
      ["410200", Array.from({ length: 8_000 }, (_, k) => 15_000 + k)],
    ]);
    const made = layout(regions, 1_060, 720);
    expect(made.height).toBeLessThanOrEqual(720);
    for (const [band, k] of [[0, 0], [0, 14_999], [1, 7_999]] as const) {
      const [x, y] = placeOf(made, made.bands[band]!, k);
      expect(sourceAt(made, x + 1, y + 1)).toBe(made.bands[band]!.cells[k]);
    }
    expect(sourceAt(made, 5_000, 5)).toBeNull();
  });
});
