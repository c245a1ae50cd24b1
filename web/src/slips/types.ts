/** Shapes of the slips' API. */
import type { Colour, GradeTerm } from "@/shared/types";

export interface Brief {
  id: string;
  warning: string;
  kind_zh: string;
  object: string;
  name: string;
  state: string;
  state_zh: string;
  colour: Colour;
  worst: Colour;
  opened_at: string;
  due_at: string | null;
  due_clock: string;
  due_zh: string;
  overdue: boolean;
  cleared_at: string | null;
  closed_at: string | null;
  version: number;
  owner: string;
  returns: number;
  supervised: number;
  escalations: number;
  merged_into: string | null;
  false_alarm: boolean;
}

export interface Attached {
  id: number;
  file_name: string;
  media: string;
  size: number;
  sha256: string;
  taken: string;
  at: string;
  by_name: string;
  photo: boolean;
}

export interface Step {
  number: number;
  at: string;
  by: string;
  by_name: string;
  action: string;
  action_zh: string;
  before: string;
  after: string;
  detail: Record<string, string>;
  attachments: { id: number; sha256: string; file_name: string }[];
  digest: string;
}

export interface Allowed {
  action: string;
  zh: string;
  required: string[];
  optional: string[];
}

export interface Whole extends Brief {
  reason: string;
  terms: GradeTerm[];
  data: { points?: { point: string; name: string; level: string; value: number | null; limit: number | null; unit: string; at: string }[] };
  grade: number | null;
  raised_at: string;
  required: string;
  recipients: { tier: string; zh: string }[];
  informed: { tier: string; zh: string }[];
  owner_zh: string;
  supervisor_zh: string;
  clocks: { clock: string; zh: string; started: string; due: string; stopped: string | null; late: boolean; told: { zh: string }[] }[];
  form: Record<string, string>;
  archive_no: string;
  attachments: Attached[];
  steps: Step[];
  allowed: Allowed[];
  digest: string;
}

export interface Machine {
  states: { state: string; zh: string; open: boolean }[];
  rules: { action: string; zh: string; states: string[]; to: string | null; party_zh: string; required: string[]; stops: string[]; starts: string[]; person: boolean }[];
  fields: Record<string, { zh: string; most: number }>;
  causes: Record<string, string>;
  clocks: Record<string, string>;
}

export interface Need {
  type: "slip" | "warning" | "alarm";
  id: string;
  why: string;
  name: string;
  object: string;
  colour: Colour | "";
  due_at: string | null;
  due_zh: string;
  overdue: boolean;
  opened_at: string;
  state_zh: string;
  text?: string;
}
