/** The types of the HTTP interface, as docs/api.md words them. */

export type Colour = "red" | "orange" | "yellow" | "blue" | "none";
export type LimitLevel = "LL" | "L" | "normal" | "H" | "HH";
export type PointState = "good" | "bad" | "stale" | "never";
export type AlarmState =
  | "unacknowledged"
  | "acknowledged"
  | "returned_unacknowledged"
  | "latched_unacknowledged"
  | "latched_acknowledged"
  | "shelved"
  | "suppressed"
  | "out_of_service"
  | "normal";
export type Role = "viewer" | "operator" | "engineer" | "admin";
export type LinkState = "online" | "stale" | "offline" | "never";

export interface Page<T> {
  items: T[];
  total: number;
  page: number;
  page_size: number;
}

export interface Scope {
  code: string;
  name: string;
  kind: string;
}

export interface Account {
  username: string;
  name: string;
  role: Role;
  scope: Scope | null;
  must_change_password: boolean;
  enabled?: boolean;
}

export interface SystemInfo {
  simulated: boolean;
  version: string;
  zone: string;
  /** 审图号; empty = none. */
  map_approval?: string;
}

export interface TreeNode {
  code: string;
  name: string;
  kind: string;
  parent: string | null;
  lon: number | null;
  lat: number | null;
}

export interface Enterprise {
  code: string;
  name: string;
}

export interface GradeTerm {
  id: string;
  name: string;
  x: number;
  weight: number;
  contribution: number;
  reason: string;
}

export interface Grade {
  colour: Colour;
  score: number | null;
  confidence: number | null;
  at: string | null;
  reason: string | null;
  terms?: GradeTerm[];
}

export interface Source {
  code: string;
  name: string;
  kind: string;
  level: number | null;
  r: number | null;
  enterprise: Enterprise;
  lon: number | null;
  lat: number | null;
  simulated: boolean;
  grade: Grade | null;
  active_alarms: number;
}

export interface Limits {
  ll: number | null;
  l: number | null;
  h: number | null;
  hh: number | null;
}

export interface Point extends Limits {
  code: string;
  name: string;
  tag: string;
  quantity: string;
  unit: string;
  range_low: number | null;
  range_high: number | null;
  deadband: number | null;
  on_delay_s: number | null;
  off_delay_s: number | null;
  equipment: string;
  source: string;
  enterprise: string;
  value: number | null;
  quality: number | null;
  event_time: string | null;
  received_at: string | null;
  age_s: number | null;
  state: PointState;
  level: LimitLevel;
  simulated: boolean;
  /** Limits out of order: listed, never silent. */
  limit_fault?: string | null;
}

export interface Equipment {
  code: string;
  name: string;
  kind: string;
  medium: string | null;
  cas: string | null;
  form: string | null;
  capacity_m3: number | null;
  diameter_m: number | null;
  height_m: number | null;
  design_t: number | null;
  points: Point[];
}

export interface SourceDetail extends Source {
  equipment: Equipment[];
}

export type HistoryRow = [number, number | null, number | null, number | null, number | null, number, number];

export interface History {
  code: string;
  unit: string;
  step: number;
  source: "raw" | "minute";
  columns: string[];
  rows: HistoryRow[];
  truncated: boolean;
  next_from: number | string | null;
  /** Seconds after which an unchanged value is stored again; absent = 60. */
  hold_s?: number;
}

/** Opaque: the same excursion has the same id after a replay. */
export type AlarmId = string;

export interface Alarm {
  id: AlarmId;
  kind: "process" | "quality";
  point: string;
  point_name: string;
  quantity: string;
  unit: string;
  source: string;
  source_name: string;
  enterprise: string;
  enterprise_name: string;
  level: LimitLevel;
  worst_level: LimitLevel;
  state: AlarmState;
  priority: 1 | 2 | 3;
  value: number | null;
  limit: number | null;
  limit_set?: "enterprise" | "regulator" | "both" | null;
  event_time: string;
  arrived_at: string | null;
  returned_at: string | null;
  closed_at: string | null;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  note: string | null;
  found_late: boolean;
  /** Late data showed that there was no excursion. */
  revoked?: boolean;
  simulated: boolean;
  latched: boolean;
  /** Codes of the nodes whose control room silenced it. */
  silenced_in: string[];
  /** Id of the alarm that began its burst; lists say how many came with the first. */
  first_out: string;
  burst?: number;
  seq: number;
  /** Only in live events: this change annunciates the alarm. */
  rose?: boolean;
  aside: { by: string; why: string; until: string | null; mode: string } | null;
}

export interface Inherited {
  [field: string]: { value: string | number | boolean | null; node: string };
}

export interface AlarmComment {
  by: string;
  by_name: string;
  at: string;
  text: string;
}

/** One record with everything that is known of it. */
export interface AlarmDetail extends Alarm {
  events: AlarmEvent[];
  condition: Record<string, string | number | boolean | null>;
  chain: string[];
  first?: Alarm | null;
  comments: AlarmComment[];
  guidance: Inherited;
  policy: Inherited;
}

export interface Hold {
  id: string;
  kind: "shelved" | "suppressed" | "out_of_service";
  status: "requested" | "active" | "ended" | "refused";
  mode: string;
  point: string;
  point_name: string;
  alarm_kind: string;
  levels: LimitLevel[];
  source: string;
  source_name: string;
  enterprise: string;
  enterprise_name: string;
  reason: string;
  by: string;
  at: string;
  until: string | null;
  approved_by: string | null;
  approved_at: string | null;
  ended_by: string | null;
  ended_at: string | null;
  end_note: string | null;
  rule: string | null;
  rule_version: number | null;
}

export interface AlarmEvent {
  event_time: string;
  arrived_at: string | null;
  what: string;
  from_state: string | null;
  to_state: string | null;
  level: LimitLevel | null;
  value: number | null;
  limit: number | null;
  limit_version: number | null;
  who: string | null;
  note: string | null;
  found_late: boolean;
}

export type AlarmSummary = Record<Exclude<AlarmState, "normal">, number>;

export interface AlarmPageAnswer extends Page<Alarm> {
  summary: AlarmSummary;
  ringing: Record<"1" | "2" | "3", number>;
  seq: number;
}

export interface Refused {
  id: string;
  reason: string;
  by: string | null;
  at: string | null;
}

/** The answer to a command on alarms. */
export interface Done {
  done: AlarmId[];
  holds: string[];
  refused: Refused[];
}

export interface Group {
  source: string;
  source_name: string;
  enterprise: string;
  enterprise_name: string;
  count: number;
  waiting: number;
  priorities: Record<"1" | "2" | "3", number>;
  from: string;
  to: string;
  worst: number;
  first: Alarm | null;
  equipment: { code: string; count: number; waiting: number; worst: number; priorities: Record<"1" | "2" | "3", number>; from: string; to: string }[];
}

export interface Flood {
  active: boolean;
  since: string | null;
  last_10min: number;
  last_hour: number;
}

export interface AckAnswer {
  acknowledged: AlarmId[];
  refused: Refused[];
}

export interface Link {
  code: string;
  name: string;
  protocol: string;
  enterprise: string;
  enterprise_name: string;
  state: LinkState;
  delay_ms: number | null;
  last_data_at: string | null;
  samples: number;
  rate: number | null;
  gaps: number;
  duplicates: number;
  rejected: number;
  last_error: { at: string; text: string } | null;
  simulated: boolean;
  address: string;
}

export interface DeadLetter {
  id: number;
  at: string;
  link: string;
  reason: string;
  detail: string;
  count: number;
  excerpt: string;
}

export interface ScenarioParam {
  name: string;
  label: string;
  default: number;
  min: number | null;
  max: number | null;
  unit: string;
}

export interface Scenario {
  id: string;
  name: string;
  description: string;
  unit: string;
  params: ScenarioParam[];
  state: "idle" | "running";
  started_at: string | number | null;
  progress: number | null;
}

export interface ImportProblem {
  sheet: string;
  cell: string;
  row: number;
  column: string;
  message: string;
}

export interface ImportAnswer {
  ok: boolean;
  dry_run: boolean;
  counts: Record<string, { new: number; changed: number; unchanged: number }>;
  errors: ImportProblem[];
  warnings?: ImportProblem[];
  version: number | null;
}

export interface AuditEntry {
  at: string;
  username: string;
  action: string;
  object: string | null;
  detail: unknown;
}

export interface Beat {
  server_time: string;
  judged_to: string | null;
  lag_ms: number | null;
  alarm_seq?: number;
  log: "ok" | "down";
  engine: "ok" | "down";
  access?: "ok" | "down";
  backlog?: { live?: number; background?: number };
  intake?: { pending_bytes?: number; full?: number };
  history?: { waiting: number; fault: string };
  disk?: { state: "ok" | "low" | "full"; free: number | null };
}

export type LiveValue = [string, number | null, number, number, number, LimitLevel];

export interface LiveGrade {
  code: string;
  colour: Colour;
  score: number | null;
  reason: string | null;
  at: string;
}
