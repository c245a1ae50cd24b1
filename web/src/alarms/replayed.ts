/** A period of alarms as it was: states at any moment, from the state at its start and the lines of its events. Pure. */
import type { Alarm, AlarmEvent, AlarmId, AlarmState, HistoryRow, LimitLevel } from "@/shared/types";

export interface Replay {
  alarms: Record<AlarmId, Alarm>;
  at_start: Record<AlarmId, { state: AlarmState; level: LimitLevel; value: number | null }>;
  lines: (AlarmEvent & { id: AlarmId })[];
  next_from: string | null;
}

/** Parts of one period, asked for one after the other, as one. */
export function joined(parts: Replay[]): Replay {
  return {
    alarms: Object.assign({}, ...parts.map((part) => part.alarms)) as Replay["alarms"],
    at_start: parts[0]?.at_start ?? {},
    lines: parts.flatMap((part) => part.lines),
    next_from: null,
  };
}

export interface Then {
  alarm: Alarm;
  state: AlarmState;
  level: LimitLevel;
  since: number;
}

/** The alarms that were open at a moment, newest first. */
export function standing(replay: Replay, moment: number): Then[] {
  const now = new Map<AlarmId, Then>();
  for (const [id, one] of Object.entries(replay.at_start)) {
    const alarm = replay.alarms[id];
    if (alarm) now.set(id, { alarm, state: one.state, level: one.level, since: Date.parse(alarm.event_time) });
  }
  for (const line of replay.lines) {
    const at = Date.parse(line.event_time);
    if (at > moment) break;
    const alarm = replay.alarms[line.id];
    if (!alarm) continue;
    if (line.to_state === "normal") now.delete(line.id);
    else now.set(line.id, { alarm, state: line.to_state as AlarmState, level: line.level ?? alarm.level, since: at });
  }
  return [...now.values()].sort((a, b) => Date.parse(b.alarm.event_time) - Date.parse(a.alarm.event_time));
}

/** What happened within some time before a moment, newest first. */
export function recent(replay: Replay, moment: number, ms: number): Replay["lines"] {
  return replay.lines.filter((line) => Date.parse(line.event_time) <= moment && Date.parse(line.event_time) > moment - ms).reverse();
}

/** The value that stood at a moment: the last row at or before it, if it is not too old to say anything. */
export function valueAt(rows: readonly HistoryRow[], moment: number, holdMs: number): { value: number | null; ms: number; quality: number } | null {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]![0] <= moment) low = middle + 1;
    else high = middle;
  }
  const row = rows[low - 1];
  if (!row || moment - row[0] > holdMs) return null;
  return { value: row[4] ?? row[3], ms: row[0], quality: row[6] };
}

/** Moments at which something happened, as shares of the period, thinned to what a slider can show. */
export function ticks(replay: Replay, from: number, to: number, most = 300): { share: number; priority: number }[] {
  const slots = new Map<number, number>();
  for (const line of replay.lines) {
    if (line.what !== "raise" && line.what !== "escalate") continue;
    const slot = Math.round(((Date.parse(line.event_time) - from) / (to - from)) * most);
    const priority = replay.alarms[line.id]?.priority ?? 3;
    slots.set(slot, Math.min(slots.get(slot) ?? 3, priority));
  }
  return [...slots.entries()].map(([slot, priority]) => ({ share: slot / most, priority }));
}
