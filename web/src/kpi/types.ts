/** What the server tells of alarm KPIs, what-ifs and limits (docs/api.md). */

export const CLASSES = ["predictive", "robust", "stable", "reactive", "overloaded"] as const;
export type RoomClass = (typeof CLASSES)[number];
export const CLASS_WORDS: Record<RoomClass, string> = {
  predictive: "预测型",
  robust: "稳健型",
  stable: "稳定型",
  reactive: "被动应对型",
  overloaded: "过载型",
};

export interface Room {
  code: string;
  name: string;
  region: string;
  park: string | null;
  points: number;
  activations: number;
  per_hour: number;
  per_day: number;
  peak: number;
  flood_count: number;
  flood_share: number;
  chatter_share: number;
  top_share: number;
  stale: number;
  standing: number;
  disturbance_rate: number;
  repeat_points: number;
  class: RoomClass;
}

export interface Flood {
  start: string;
  end: string;
  seconds: number;
  activations: number;
  peak_10min: number;
  ongoing: boolean;
}

export interface Actor {
  point?: string;
  point_name?: string;
  source?: string;
  source_name?: string;
  tag?: string;
  activations: number;
  share: number;
  chattering: number;
  fleeting: number;
  standing_s: number;
  types: Record<string, number>;
}

export interface Stale {
  point?: string;
  point_name?: string;
  source_name?: string;
  tag?: string;
  type: string;
  since: string;
  until: string | null;
  hours: number;
}

export interface Kpis {
  from: string;
  to: string;
  hours: number;
  operators: number;
  points: number;
  activations: number;
  alarms: number;
  tags: number;
  rate: { per_hour: number; per_day: number; per_10min: number };
  peak_10min: { activations: number; at: string | null };
  flood_count: number;
  flood_share: number;
  floods: Flood[];
  fixed_intervals: { flood_count: number; flood_share: number };
  chatter_share: number;
  chattering_alarms: number;
  fleeting_share: number;
  repeat_share: number;
  stale: number;
  standing: number;
  stale_alarms: Stale[];
  top_share: number;
  top: Actor[];
  priorities: { urgent: number; high: number; other: number; urgent_share: number; high_share: number; other_share: number };
  national: {
    disturbance_rate: number;
    disturbance_rate_per_point: number;
    repeat_points: number;
    repeat_count: number;
    average_count_per_point_day: number;
    average_duration_s: number | null;
    longest_s: number;
  };
  class: RoomClass;
  class_zh: string;
}

export interface RoomKpis extends Kpis {
  room: { code: string; name: string; region: string; park: string | null; points: number };
  series: { step_s: number; rows: [number, number][] };
}

export const percent = (share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined ? "—" : `${(100 * share).toFixed(digits)} %`;
