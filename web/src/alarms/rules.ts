/** Rules of the alarm list that need no server: what waits, what sorts where, how a live alarm enters a page. */
import { plain } from "@/shared/format";
import type { Alarm, AlarmState, AlarmSummary, LimitLevel } from "@/shared/types";
import { QUALITIES } from "@/shared/words";

/** Waits for an acknowledgement: B, D or E. */
export function waits(alarm: Pick<Alarm, "state">): boolean {
  return WAITING.includes(alarm.state);
}
const WAITING: AlarmState[] = ["unacknowledged", "returned_unacknowledged", "latched_unacknowledged"];
const LISTED: AlarmState[] = [...WAITING, "acknowledged", "latched_acknowledged"];
export const ASIDE: AlarmState[] = ["shelved", "suppressed", "out_of_service"];

/** Rings in a control room: B, not found late, not silenced there. */
export function rings(alarm: Pick<Alarm, "state" | "found_late" | "silenced_in">, room: string): boolean {
  return alarm.state === "unacknowledged" && !alarm.found_late && !(alarm.silenced_in ?? []).includes(room);
}

/** The most urgent priority that rings, from the server's count; 0 = quiet. */
export function worstRinging(ringing: Record<"1" | "2" | "3", number>): number {
  return ringing["1"] ? 1 : ringing["2"] ? 2 : ringing["3"] ? 3 : 0;
}

/** How many wait for a person, and how many are set aside, from the server's summary. */
export function waitingOf(summary: AlarmSummary): number {
  return WAITING.reduce((sum, state) => sum + (summary[state as keyof AlarmSummary] ?? 0), 0);
}
export function asideOf(summary: AlarmSummary): number {
  return ASIDE.reduce((sum, state) => sum + (summary[state as keyof AlarmSummary] ?? 0), 0);
}

export type Show = "open" | "unacknowledged" | "aside" | "closed" | "all";

export interface Filters {
  show: Show;
  q: string;
  level: string;
  kind: string;
  source: string;
  enterprise: string;
  priority?: string;
  equipment?: string;
}

const SHOWN: Record<Show, AlarmState[] | null> = { open: LISTED, unacknowledged: WAITING, aside: ASIDE, closed: ["normal"], all: null };

/** Whether an alarm belongs to a filtered list. Text search is left to the server. */
export function belongs(alarm: Alarm, filters: Filters): boolean {
  return (
    (SHOWN[filters.show]?.includes(alarm.state) ?? true) &&
    (!filters.level || filters.level === alarm.level) &&
    (!filters.kind || filters.kind === alarm.kind) &&
    (!filters.source || filters.source === alarm.source) &&
    (!filters.priority || Number(filters.priority) === alarm.priority) &&
    (!filters.equipment || alarm.point.startsWith(filters.equipment)) &&
    (!filters.enterprise || filters.enterprise === alarm.enterprise)
  );
}

const EQUIPMENT: Record<string, string> = { G0: "储罐", Q0: "气体检测仪", S0: "装置", C0: "仓库" };
/** 「储罐 G0001」 from a 17-character code. */
export function equipmentName(code: string): string {
  const mark = code.slice(12);
  return `${EQUIPMENT[mark.slice(0, 2)] ?? "设备"} ${mark}`;
}

/** The arrow says the side, the number of arrows the step. No triangles: those belong to the warning colours. */
export function arrow(level: LimitLevel): string {
  return { HH: "↑↑", H: "↑", normal: "", L: "↓", LL: "↓↓" }[level];
}

export interface Said {
  text: string;
  unit: string;
}

/** What an alarm says of its value: a figure with its unit, or the word of a quality code. */
export function said(alarm: Pick<Alarm, "kind" | "unit">, value: number | null): Said {
  if (alarm.kind !== "quality" || value === null) return { text: plain(value), unit: value === null ? "" : alarm.unit };
  return { text: QUALITIES[value] ?? `质量码 ${plain(value)}`, unit: "" };
}
