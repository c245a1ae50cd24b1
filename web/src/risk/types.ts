/** Types of the risk room's routes (docs/api.md). */
import type { Colour, GradeTerm } from "@/shared/types";

export interface PlaceRow {
  code: string;
  name: string;
  kind: string;
  score: number;
  colour: Colour;
  counts: Record<Colour, number>;
  total: number;
  ungraded: number;
}
export interface EnterpriseRow {
  code: string;
  name: string;
  region: string;
  park: string | null;
  sources: number;
  known: boolean;
  colour: Colour;
  score: number;
  confidence: number | null;
  reason: string;
  at: string | null;
}
export interface Place extends PlaceRow {
  bands: number[];
  children: PlaceRow[];
  enterprises: EnterpriseRow[];
  trail: { code: string; name: string }[];
}
export interface PastGrade {
  id: number;
  code: string;
  at: string;
  colour: Colour;
  score: number;
  confidence: number;
  reason: string;
  terms: GradeTerm[];
  mode: string;
  model: string;
  version: string;
  configuration: string;
}
export interface Explained extends PastGrade {
  identical: boolean | null;
  why_not: string;
  differences: Record<string, unknown>;
  floors?: string[];
  what_if: { id: string; name: string; x: number; score_without: number; x_needed: number | null }[];
}
export interface Declared {
  id: number;
  object: string;
  kind: string;
  kind_zh: string;
  title: string;
  from: string;
  to: string;
  state: "now" | "coming" | "over" | "withdrawn";
  by: string;
  at: string;
  withdrawn_by: string | null;
  withdrawn_at: string | null;
  withdrawn_why: string | null;
}
export interface KindField {
  name: string;
  title: string;
  type: "choice" | "number" | "text" | "texts" | "flag";
  needed: boolean;
  choices: { value: string; title: string }[] | null;
  range: [number, number] | null;
}
export interface Kind {
  kind: string;
  title: string;
  fields: KindField[];
}
export type Parameters = Record<string, number | Record<string, number>>;
export interface Configuration {
  id: number;
  name: string;
  why: string;
  digest: string;
  base: string;
  state: "draft" | "approved" | "retired" | "rejected";
  shadow: boolean;
  shadow_since: string | null;
  tested: boolean;
  by: string;
  at: string;
  decided_by: string | null;
  decided_at: string | null;
  decided_why: string | null;
}
export interface Backtest {
  from: string;
  to: string;
  at: string;
  grades: number;
  objects: number;
  old: Record<string, number>;
  new: Record<string, number>;
  come: number;
  gone: number;
  changes: { kind: "come" | "gone"; object: string; colour: Colour; from: string; to: string }[];
  changes_total: number;
  score_change_mean: number;
  score_change_most: number;
}
export interface ConfigurationPage extends Configuration {
  parameters: Parameters;
  differences: Record<string, [number, number]>;
  backtest: Backtest | null;
  shadow_grades: { object: string; at: string; colour: Colour; score: number; live_colour: Colour; live_score: number }[];
}
export const MODES: Record<string, string> = {
  scored: "模型评估", fallback: "模型服务不可用,按报警与固有危险性", unknown: "半数以上输入缺失,保持", refused: "模型拒绝输入,保持", enterprise: "由各危险源汇总", place: "由各企业汇总",
};
export const STATES: Record<string, string> = { draft: "草案", approved: "现行", retired: "已被取代", rejected: "已否决" };
export interface UnitModel {
  id: number;
  object: string;
  name?: string;
  version: number;
  state: string;
  from: string;
  to: string;
  message: string;
  digest: string | null;
  by: string;
  at: string;
  decided_by: string | null;
  decided_at: string | null;
  decided_why: string | null;
}
export interface UnitModelWhole extends UnitModel {
  model: { names: string[]; rows: number; components: number; held_out: number; left_out: number; alarms: number } | null;
}
