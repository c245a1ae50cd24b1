/** Forms of the API of files (docs/api.md, "Files" and "Lists"), and how their values are written. */

export type Value = string | number | boolean | null | GeoJSON.Geometry;
export type Row = Record<string, Value | undefined>;
export type Content = Record<string, Record<string, Row>>;

export type FieldKind = "text" | "long" | "number" | "integer" | "date" | "yes_no" | "choice" | "phone" | "cas" | "geometry";

export interface Field {
  key: string;
  title: string;
  kind: FieldKind;
  must: boolean;
  approved: boolean;
  ends: boolean;
  column: string;
  choices: string[];
  limit: number;
  low: number | null;
  high: number | null;
  unit: string;
  hint: string;
}

export interface Group {
  key: string;
  title: string;
  fields: Field[];
  filler: string;
  many: boolean;
  weight: number;
  may_be_none: boolean;
  table: string;
  clause: string;
}

export interface DocumentKind {
  key: string;
  title: string;
  must: boolean;
  only_with: string;
}

export interface Schema {
  owner: "enterprise" | "park";
  title: string;
  groups: Group[];
  documents: DocumentKind[];
}

export interface Op {
  group: string;
  row: string;
  field: string;
  before: unknown;
  after: unknown;
}

export interface OpWords extends Op {
  group_title: string;
  row_title: string;
  field_title: string;
  waits?: boolean;
}

export interface Change {
  id: number | null;
  state: "in_force" | "open" | "rejected" | "withdrawn";
  version: number | null;
  registry_version: number | null;
  at: string;
  in_force_at: string | null;
  who: string;
  why: string;
  source: string;
  decided_by: string | null;
  decided_at: string | null;
  decision: string | null;
  ops: OpWords[];
  owner?: { code: string; name: string };
}

export interface Gap {
  group: string;
  row: string;
  field: string;
  where: string;
  why: string;
  filler: string;
  points: number;
}

export interface Ending {
  group: string;
  row: string;
  field: string;
  where: string;
  ends: string;
  days: number;
}

export interface FileView {
  owner: { code: string; kind: "enterprise" | "park"; name: string; simulated: boolean };
  version: number;
  changed_at: string | null;
  at: string | null;
  content: Content;
  score: { percent: number; groups: Record<string, number>; gaps: Gap[]; endings: Ending[] };
  waiting: Change[];
  may_fill: Record<string, boolean>;
  counts: Record<string, number>;
}

export interface Conflict extends OpWords {
  mine: unknown;
  theirs: unknown;
  by: string | null;
  at: number | null;
}

export interface Outcome {
  version: number;
  applied: number;
  waiting: number;
  proposal: number | null;
}

export interface StoredDocument {
  id: number;
  series: number;
  version: number;
  kind: string;
  title: string;
  file_name: string;
  media: string;
  size: number;
  sha256: string;
  valid_to: string | null;
  at: string;
  who: string;
  why: string;
  inline: boolean;
  older: StoredDocument[];
}

export const NONE = "@none";
export const STATES: Record<Change["state"], string> = { in_force: "已生效", open: "待批准", rejected: "已驳回", withdrawn: "已撤回" };

/** A value as it stands on the page. */
export function words(value: unknown, field?: Field | null): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "是" : "否";
  if (typeof value === "number") return field?.unit && field.unit !== "°" ? `${value} ${field.unit}` : String(value);
  if (typeof value === "object") {
    const shape = value as { type?: string; coordinates?: unknown[] };
    if (shape.type && shape.coordinates) return `${SHAPES[shape.type] ?? shape.type}(${corners(shape.coordinates)} 个点)`;
    return Object.values(value as Record<string, unknown>)
      .map((one) => words(one))
      .join(" · ");
  }
  return String(value);
}

const SHAPES: Record<string, string> = { Polygon: "面", MultiPolygon: "多个面", LineString: "线", Point: "点" };

function corners(part: unknown[]): number {
  return typeof part[0] === "number" ? 1 : part.reduce<number>((sum, one) => sum + corners(one as unknown[]), 0);
}

/** Whether two values are the same to the server. */
export function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
}

/** The words of how long a validity still lasts. */
export function left(days: number): string {
  if (days < 0) return `已过期 ${-days} 天`;
  return days === 0 ? "今天到期" : `${days} 天后到期`;
}
