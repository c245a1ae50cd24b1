import type { Version } from "@/shared/versions";
import type { Colour, GradeTerm, Page } from "@/shared/types";

export interface Receipt {
  tier: string;
  tier_zh: string;
  node: string;
  act: boolean;
  why: string;
  at: string;
  delivered_at: string | null;
  delivered_by: string | null;
  seen_at: string | null;
  seen_by: string | null;
}

/** A warning as in the list; `slip` is what its disposal slip says, when there is one. */
export interface Warned {
  id: string;
  kind: string;
  kind_zh: string;
  object: string;
  name: string;
  cause: string;
  causes: { id: string; name: string }[];
  colour: Colour;
  worst: Colour;
  state: "standing" | "cleared";
  raised_at: string;
  changed_at: string;
  cleared_at: string | null;
  grade: number;
  reason: string;
  simulated: boolean;
  receipt?: Receipt | null;
  slip?: { id: string; state_zh: string; due_at: string | null; due_zh: string; overdue: boolean } | null;
}

export interface Listed extends Page<Warned> {
  summary: { counts: Record<string, number>; unseen: number };
}

export type RecipientTable = Partial<Record<Colour, { act: string[]; inform: string[] }>>;

export interface Rules {
  merge_min: number;
  table: RecipientTable;
  regions: Record<string, RecipientTable>;
  key_regions: string[];
}

export interface RulesListed extends Page<Version> {
  in_force: { digest: string; rules: Rules };
  names: Record<string, string>;
  waiting: number;
  may_edit: boolean;
}

export interface Happened {
  id: number;
  deed: string;
  deed_zh: string;
  at: string;
  written_at: string;
  was: Colour;
  colour: Colour;
  cause: string;
  cause_zh: string;
  grade: number | null;
  reason: string;
}

export interface Whole extends Warned {
  terms: GradeTerm[];
  data: { points?: { point: string; name: string; level: string; value: number | null; limit: number | null; unit: string; at: string }[]; total?: number };
  rules: string;
  history: Happened[];
  receipts: Receipt[];
}

export interface Signal {
  id: number;
  area: string;
  area_name: string;
  kind_zh: string;
  colour: Colour;
  title: string;
  text: string;
  from: string;
  to: string;
  origin: string;
  scored: boolean;
}
