/** What-ifs as the server tells them (docs/api.md). */
import type { Kpis } from "@/kpi/types";

export interface WhatIf {
  id: string;
  name: string;
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  asked_by: string;
  asked_at: string;
  finished_at: string | null;
  progress: number;
  message: string | null;
  from: string;
  to: string;
  points: number;
}
export const STATES: Record<WhatIf["state"], string> = { queued: "排队", running: "进行中", done: "完成", failed: "失败", cancelled: "已取消" };

export interface Named {
  point: string;
  point_name: string;
  source_name: string;
  unit: string;
}
export interface Proposal extends Named {
  nuisance: number;
  activations: number;
  nuisance_after: number;
  after: number | null;
  change: Record<string, number> | null;
  values: Record<string, number>;
  worst_delay_s: number | null;
  why: string;
  gas: boolean;
}
export interface Episode extends Named {
  begin: string;
  end: string | null;
  seconds: number | null;
  delay_s?: number;
}
export interface Outcome {
  comparison: {
    before: number;
    after: number;
    saved: number;
    saved_share: number;
    episodes: number;
    first_alarms: {
      same: number;
      earlier: number;
      later: number;
      missing: number;
      p50_s: number;
      p95_s: number;
      worst_s: number;
      histogram: { above_s: number; up_to_s: number | null; count: number }[];
      worst: Episode[];
      gone: Episode[];
    };
    events: (Named & { begin: string; end: string; note: string; before_s: number | null; after_s: number | null; verdict: "kept" | "delayed" | "missed" | "never" })[];
    events_missed: number;
    events_delayed: number;
    tags: (Named & { before: number; after: number })[];
    tag_count: number;
  };
  kpi_before: Kpis;
  kpi_after: Kpis;
  proposals: Proposal[];
  samples: number;
  points: number;
  seconds: number;
  limit_version: number;
}
export interface ChangeOf {
  quantity: string;
  code: string;
  values: Record<string, number | null>;
}
export interface Full extends WhatIf {
  asked: { scope: { enterprise: string; source: string; quantity: string; codes: string[] }; changes: ChangeOf[]; bounds: Record<string, number> | null };
  result: Outcome | null;
}

export const FIELDS: Record<string, string> = {
  ll: "低低报",
  l: "低报",
  h: "高报",
  hh: "高高报",
  deadband: "死区",
  deadband_share: "死区(占量程)",
  on_delay_s: "报警延时",
  off_delay_s: "恢复延时",
};
export function valueWord(field: string, value: number | null): string {
  if (value === null) return "取消";
  if (field === "deadband_share") return `${Number((100 * value).toFixed(2))} %`;
  return field.endsWith("_s") ? `${value} s` : String(Number(value.toPrecision(6)));
}
