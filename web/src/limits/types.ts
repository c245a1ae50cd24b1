/** Limits as the server tells them (docs/api.md). */
export type Threshold = "ll" | "l" | "h" | "hh";
export const THRESHOLDS: Threshold[] = ["ll", "l", "h", "hh"];
export const SHAPE = ["deadband", "on_delay_s", "off_delay_s"] as const;
export const TITLES: Record<string, string> = { ll: "低低报", l: "低报", h: "高报", hh: "高高报", deadband: "死区", on_delay_s: "报警延时 s", off_delay_s: "恢复延时 s", range_low: "量程下限", range_high: "量程上限" };
export type Values = Record<string, number | null>;
export type LimitSet = "enterprise" | "regulator";
export const SETS: Record<string, string> = { enterprise: "企业", regulator: "监管", both: "两者" };

export interface LimitPoint {
  code: string;
  name: string;
  tag: string | null;
  quantity: string;
  unit: string;
  range_low: number;
  range_high: number;
  source: string;
  source_name: string;
  enterprise: string;
  enterprise_name: string;
  own: Values;
  regulator: Values;
  judged: Partial<Record<Threshold, { value: number; set: string }>>;
  faults: string[];
  proposal: number | null;
}
export interface Change {
  version: number;
  at: string;
  who: string;
  set: LimitSet;
  why: string | null;
  proposal: number | null;
  before: Values | null;
  after: Values;
}
export interface LimitDetail extends LimitPoint {
  history: Change[];
  defaults: Values;
}
export interface ProposalHead {
  id: number;
  set: LimitSet;
  state: "open" | "approved" | "rejected" | "withdrawn";
  reason: string;
  points: number;
  proposed_by: string;
  proposed_at: string;
  decided_by: string | null;
  decided_at: string | null;
  decision: string | null;
  version: number | null;
  evidence_id: string | null;
  mine: boolean;
}
export const PROPOSAL_STATES: Record<ProposalHead["state"], string> = { open: "待审核", approved: "已批准", rejected: "已驳回", withdrawn: "已撤回" };
export interface ProposalFull extends ProposalHead {
  items: { code: string; name: string; tag: string | null; unit: string; before: Values; after: Values; faults: string[] }[];
  evidence: { name: string; from: string; to: string; result: { comparison: { before: number; after: number; saved_share: number; events_missed: number; first_alarms: { later: number; missing: number; worst_s: number } } } } | null;
}
export const plainValue = (value: number | null | undefined): string => (value === null || value === undefined ? "—" : String(Number(value.toPrecision(8))));
