/** The chart option of one trend: grey line, min–max band, dashed limits, hatched bad quality. Pure. */
import { clock, decimals, monthDay, plain } from "@/shared/format";
import type { Limits } from "@/shared/types";
import { bounds, type Band, type Drawn, type Range } from "./ranges";

export interface TrendLook {
  unit: string;
  limits: Partial<Limits>;
  /** A moment to mark, e.g. when the alarm began. */
  marks?: { ms: number; word: string }[];
  /** Rows are samples kept on change: a value holds until the next. */
  held?: boolean;
  /** Of the whole chart, in pixels. */
  height?: number;
}

const INK = "#26323a";
const LIMIT = "#8d1558";

/** A small hatched tile for bad quality and gaps. */
function hatch(stroke: string): HTMLCanvasElement {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const pen = tile.getContext("2d")!;
  pen.strokeStyle = stroke;
  pen.lineWidth = 1.2;
  pen.beginPath();
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift, 8);
    pen.lineTo(shift + 8, 0);
  }
  pen.stroke();
  return tile;
}

function areas(bands: Band[], range: Range, name: string) {
  return bands
    .map(([from, to]) => [Math.max(from, range.from), Math.min(to, range.to)] as const)
    .filter(([from, to]) => to > from)
    .map(([from, to]) => [{ xAxis: from, name }, { xAxis: to }]);
}

const TOP = 14;
const BOTTOM = 24;
const LABEL = 13;

/** Limits that lie on the axis; their labels are pushed apart where they would cover each other. */
function limitLines(limits: Partial<Limits>, y: [number, number] | null, height: number) {
  const plot = Math.max(1, height - TOP - BOTTOM);
  const pixel = (value: number) => (y ? ((y[1] - value) / (y[1] - y[0])) * plot : 0);
  let last = -Infinity;
  const all = [
    { value: limits.hh, word: "高高", strong: true },
    { value: limits.h, word: "高", strong: false },
    { value: limits.l, word: "低", strong: false },
    { value: limits.ll, word: "低低", strong: true },
  ];
  return all
    .filter((one): one is { value: number; word: string; strong: boolean } => one.value !== null && one.value !== undefined)
    .filter((one) => y !== null && one.value >= y[0] && one.value <= y[1])
    .map((one) => {
      const at = pixel(one.value);
      last = Math.max(at, last + LABEL);
      return { ...one, shift: last - at };
    })
    .map((one) => ({
      yAxis: one.value,
      lineStyle: { color: LIMIT, width: one.strong ? 1.4 : 1, type: one.strong ? "solid" : [5, 4], opacity: 0.8 },
      label: { formatter: `${one.word} ${plain(one.value)}`, position: "end", color: LIMIT, fontSize: 11, distance: 4, offset: [0, one.shift] },
    }));
}

export function trendOption(drawn: Drawn, range: Range, look: TrendLook): Record<string, unknown> {
  const y = bounds(drawn, look.limits);
  const step = look.held ? "end" : false;
  const long = range.to - range.from > 26 * 3_600_000;
  const digits = y ? decimals(y[1] - y[0]) : 2;
  const marks = (look.marks ?? []).map((mark, index) => ({
    xAxis: mark.ms,
    lineStyle: { color: INK, width: 1, type: "solid" },
    label: { formatter: mark.word, position: "insideEndTop", color: INK, fontSize: 11, rotate: 0, distance: [4, 0], align: index ? "left" : "right" },
  }));
  return {
    animation: false,
    grid: { left: 52, right: 76, top: TOP, bottom: BOTTOM },
    tooltip: {
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      backgroundColor: "#f8f9f9",
      borderColor: "#9aa2a8",
      padding: [6, 10],
      textStyle: { color: "#1d2328", fontSize: 12 },
      formatter: (given: unknown) => {
        const rows = given as { seriesId?: string; value: [number, number | null] }[];
        const row = rows.find((one) => one.seriesId === "line") ?? rows[0];
        if (!row) return "";
        const value = row.value[1];
        const text = value === null ? "无有效数据" : `<b>${plain(value, digits + 1)}</b> ${look.unit}`;
        return `${monthDay(row.value[0])} ${clock(row.value[0])}<br>${text}`;
      },
    },
    xAxis: {
      type: "time",
      min: range.from,
      max: range.to,
      splitNumber: 8,
      axisLine: { onZero: false, lineStyle: { color: "#9aa2a8" } },
      axisTick: { lineStyle: { color: "#9aa2a8" } },
      axisLabel: {
        color: "#4b555d",
        fontSize: 11,
        hideOverlap: true,
        formatter: (ms: number) => (long ? `${monthDay(ms)} ${clock(ms).slice(0, 5)}` : clock(ms).slice(0, 5)),
      },
      axisPointer: { lineStyle: { color: "#4b555d", type: "solid", width: 1 } },
    },
    yAxis: {
      type: "value",
      scale: true,
      ...(y ? { min: y[0], max: y[1] } : {}),
      splitNumber: 3,
      splitLine: { lineStyle: { color: "#d3d7da" } },
      axisLabel: { color: "#4b555d", fontSize: 11, showMinLabel: false, showMaxLabel: false, formatter: (value: number) => value.toFixed(digits) },
    },
    dataZoom: [{ type: "inside", filterMode: "none", zoomOnMouseWheel: "ctrl" }],
    series: [
      { id: "low", type: "line", data: drawn.low, stack: "band", symbol: "none", step, lineStyle: { opacity: 0 }, silent: true, stackStrategy: "all" },
      {
        id: "band",
        type: "line",
        data: drawn.high.map(([ms, high], i) => [ms, high === null || drawn.low[i]![1] === null ? null : high - drawn.low[i]![1]!]),
        stack: "band",
        stackStrategy: "all",
        symbol: "none",
        step,
        lineStyle: { opacity: 0 },
        areaStyle: { color: "#8b98a1", opacity: 0.35 },
        silent: true,
      },
      {
        id: "line",
        type: "line",
        data: drawn.line,
        symbol: "none",
        connectNulls: false,
        step,
        lineStyle: { color: INK, width: 1.5 },
        itemStyle: { color: INK },
        markLine: { symbol: "none", silent: true, data: [...limitLines(look.limits, y, look.height ?? 170), ...marks] },
        markArea: {
          silent: true,
          itemStyle: { color: { image: hatch("#9aa2a8"), repeat: "repeat" } },
          label: { show: true, position: "insideBottom", color: "#4b555d", fontSize: 11, backgroundColor: "#f0f1f2", padding: [1, 3] },
          data: [...areas(drawn.bad, range, "质量差"), ...areas(drawn.gaps, range, "无数据")],
        },
      },
    ],
  };
}
