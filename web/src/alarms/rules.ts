/** Rules of the alarm list that need no server: what waits, what sorts where, how a live alarm enters a page. */
import { plain } from "@/shared/format";
import type { Alarm, AlarmState, LimitLevel } from "@/shared/types";
import { QUALITIES } from "@/shared/words";

/** Waits for a person: B unacknowledged or D returned unacknowledged. */
export function waits(alarm: Pick<Alarm, "state">): boolean {
  return alarm.state === "unacknowledged" || alarm.state === "returned_unacknowledged";
}

/** The most urgent priority of those that ring; 0 when nothing does. Late-found alarms never ring. */
export function worstPriority(alarms: Iterable<Alarm>): number {
  let worst = 0;
  for (const alarm of alarms) {
    if (alarm.state !== "unacknowledged" || alarm.found_late) continue;
    if (worst === 0 || alarm.priority < worst) worst = alarm.priority;
  }
  return worst;
}

export type Show = "open" | "unacknowledged" | "closed" | "all";

export interface Filters {
  show: Show;
  q: string;
  level: string;
  kind: string;
  source: string;
  enterprise: string;
}

const SHOWN: Record<Show, AlarmState[]> = {
  open: ["unacknowledged", "acknowledged", "returned_unacknowledged"],
  unacknowledged: ["unacknowledged", "returned_unacknowledged"],
  closed: ["normal"],
  all: ["unacknowledged", "acknowledged", "returned_unacknowledged", "normal"],
};

/** Whether an alarm belongs to a filtered list. Text search is left to the server. */
export function belongs(alarm: Alarm, filters: Filters): boolean {
  return (
    SHOWN[filters.show].includes(alarm.state) &&
    (!filters.level || filters.level === alarm.level) &&
    (!filters.kind || filters.kind === alarm.kind) &&
    (!filters.source || filters.source === alarm.source) &&
    (!filters.enterprise || filters.enterprise === alarm.enterprise)
  );
}

export interface Merge {
  items: Alarm[];
  /** The total or the order changed in a way only the server knows: ask again soon. */
  ask: boolean;
}

/** Put one live alarm into the page on screen. A row that is on screen changes in place; it never jumps away by itself. */
export function merge(items: readonly Alarm[], alarm: Alarm, filters: Filters): Merge {
  const at = items.findIndex((one) => one.id === alarm.id);
  if (at >= 0) {
    const next = items.slice();
    next[at] = alarm;
    return { items: next, ask: !belongs(alarm, filters) };
  }
  return { items: items.slice(), ask: belongs(alarm, filters) };
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
