/** ECharts, with only the parts the trends use. */
import { LineChart } from "echarts/charts";
import { AxisPointerComponent, DataZoomInsideComponent, GridComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { connect, init, use, type ECharts } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([LineChart, GridComponent, TooltipComponent, MarkLineComponent, MarkAreaComponent, AxisPointerComponent, DataZoomInsideComponent, CanvasRenderer]);

export { connect, init, type ECharts };
