/** What a piece of equipment is drawn as, and where a value stands on its scale. Pure. */
import type { Equipment, LiveValue, Point } from "@/shared/types";

export type Shape = "tank" | "gas" | "other";

/** The kind of an equipment code: `410900001001G0001` → `G0`. */
export function kindOf(equipment: Pick<Equipment, "code" | "kind">): string {
  return /^\d{12}([A-Z]\d)\d{3}$/.exec(equipment.code)?.[1] ?? equipment.kind;
}

export function shapeOf(equipment: Pick<Equipment, "code" | "kind" | "points">): Shape {
  const kind = kindOf(equipment);
  if (kind === "Q0" || kind === "气体检测仪") return "gas";
  if ((kind === "G0" || kind === "储罐") && equipment.points.some((point) => point.quantity === "YW")) return "tank";
  return "other";
}

/** The name of a point without the name of its equipment, which stands above it already. */
export function shortName(point: Pick<Point, "name">, equipment: Pick<Equipment, "name">): string {
  const rest = point.name.startsWith(equipment.name) ? point.name.slice(equipment.name.length).replace(/^[\s·\-—_]+/, "") : point.name;
  return rest || point.name;
}

/** What stands beside the picture of a tank: level, stock, the first temperature, the first pressure. The rest goes below. */
export function beside(points: readonly Point[]): { main: Point[]; rest: Point[] } {
  const main = ["YW", "WD", "YL", "CL"].flatMap((quantity) => points.find((point) => point.quantity === quantity) ?? []);
  return { main, rest: points.filter((point) => !main.includes(point)) };
}

/** What each point of a piece of equipment is called beside its picture: never two alike; the tag tells equals apart. */
export function rowNames(equipment: Pick<Equipment, "name" | "points">): Map<string, string> {
  const names = new Map(equipment.points.map((point) => [point.code, shortName(point, equipment)]));
  const times = new Map<string, number>();
  for (const name of names.values()) times.set(name, (times.get(name) ?? 0) + 1);
  return new Map(equipment.points.map((point) => {
    const name = names.get(point.code)!;
    return [point.code, times.get(name)! > 1 ? `${name} ${point.tag || point.code.slice(-5)}` : name];
  }));
}

export type TankForm = "sphere" | "horizontal" | "floating" | "vertical";
export function tankForm(form: string | null | undefined): TankForm {
  const text = (form ?? "").toLowerCase();
  if (/球|spher/.test(text)) return "sphere";
  if (/卧|horizont/.test(text)) return "horizontal";
  if (/浮|float/.test(text)) return "floating";
  return "vertical";
}

/** Where a value stands on its range, 0–1; null when the range says nothing. */
export function share(value: number | null, point: Pick<Point, "range_low" | "range_high">): number | null {
  const { range_low: low, range_high: high } = point;
  if (value === null || low === null || high === null || high <= low) return null;
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

/** A live value put into a point. Quality other than good never looks like a good value. */
export function withLive(point: Point, [, value, quality, event, received, level]: LiveValue, now: number): Point {
  return {
    ...point,
    value,
    quality,
    level,
    event_time: new Date(event).toISOString(),
    received_at: new Date(received).toISOString(),
    age_s: Math.max(0, (now - event) / 1000),
    state: quality === 0 ? "good" : "bad",
  };
}
