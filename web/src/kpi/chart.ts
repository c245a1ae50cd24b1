/** Bars of activations over time with the target drawn and floods behind. Pure, but for the registration of chart parts. */
import { BarChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { monthDay, stamp } from "@/shared/format";

use([BarChart, GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, CanvasRenderer]);
export { init, type ECharts };

const INK = "#4b555d";

export function rateOption(rows: [number, number][], stepS: number, floods: { start: string; end: string }[], operators: number, range: { from: number; to: number }): Record<string, unknown> {
  const target = (stepS >= 86_400 ? 150 : 6) * operators;
  const half = (stepS * 1000) / 2;
  const areas = floods.map((flood) => [{ xAxis: Date.parse(flood.start) }, { xAxis: Math.min(Date.parse(flood.end), range.to) }]);
  return {
    animation: false,
    grid: { left: 46, right: 74, top: 14, bottom: 24 },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow" },
      formatter: (items: { value: [number, number] }[]) => (items[0] ? `${stamp(items[0].value[0] - half).slice(0, stepS >= 86_400 ? 5 : 11)}<br/><b>${items[0].value[1]}</b> 次` : ""),
    },
    xAxis: {
      type: "time",
      min: range.from,
      max: range.to,
      axisLabel: { color: INK, fontSize: 11, hideOverlap: true, formatter: (ms: number) => (range.to - range.from > 2 * 86_400_000 ? monthDay(ms) : stamp(ms).slice(-8, -3)) },
      axisLine: { lineStyle: { color: "#9aa2a8" } },
    },
    yAxis: { type: "value", minInterval: 1, max: (value: { max: number }) => Math.max(value.max, target * 1.15), axisLabel: { color: INK, fontSize: 11 }, splitLine: { lineStyle: { color: "#d5d9dc" } } },
    series: [
      {
        type: "bar",
        data: rows.map(([ms, n]) => [ms + half, n]),
        barMaxWidth: 26,
        barMinWidth: 1,
        itemStyle: { color: (item: { value: [number, number] }) => (item.value[1] > target ? "#a65684" : "#7a8790") },
        markLine: {
          symbol: "none",
          silent: true,
          data: [{ yAxis: target }],
          lineStyle: { color: "#26323a", type: [5, 4], width: 1 },
          label: { formatter: `目标 ${target}`, position: "end", color: "#26323a", fontSize: 11 },
        },
        markArea: { silent: true, itemStyle: { color: "rgba(141, 21, 88, 0.13)" }, data: areas },
      },
    ],
  };
}
