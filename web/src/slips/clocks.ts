/** Deadlines of slips: shapes of the API, and their words. */
export interface Span {
  minutes: number;
  unit: "wall" | "working" | "shift";
}
export const CLOCKS = { confirm: "确认", start: "开始处置", feedback: "反馈", review: "审核", again: "续报" } as const;
export type ClockName = keyof typeof CLOCKS;
export type Spans = Record<ClockName, Span | null> & { top: string };
export interface Clocks {
  colours: Record<string, Spans>;
  hours: string[][];
  shifts: string[];
}
export const UNITS: Record<Span["unit"], string> = { wall: "分钟", working: "工作分钟", shift: "分钟后交班" };
export const TIERS: Record<string, string> = { enterprise: "企业", park: "园区", county: "县", city: "市", province: "省", ministry: "部" };

const HOUR = 60;
const DAY = 1440;

/** "2 小时", "8 工作小时", "满 4 小时后的交接班". */
export function spanWords(span: Span | null): string {
  if (!span) return "—";
  const { minutes, unit } = span;
  const working = unit === "working" ? "工作" : "";
  const long = unit !== "working" && minutes >= 2 * DAY && minutes % DAY === 0;
  const words = long ? `${minutes / DAY} 天` : minutes % HOUR === 0 ? `${minutes / HOUR} ${working}小时` : `${minutes} ${working}分钟`;
  return unit === "shift" ? `满 ${words}后的交接班` : words;
}

/** What of some rules is not standard: what a draft is sent as. */
export function differing(rules: Clocks, standard: Clocks): Record<string, unknown> {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const colours = Object.fromEntries(
    Object.entries(rules.colours)
      .map(([colour, row]) => [colour, Object.fromEntries(Object.entries(row).filter(([name, value]) => !same(value, standard.colours[colour]?.[name as keyof Spans])))] as const)
      .filter(([, row]) => Object.keys(row).length),
  );
  return {
    ...(Object.keys(colours).length ? { colours } : {}),
    ...(same(rules.hours, standard.hours) ? {} : { hours: rules.hours }),
    ...(same(rules.shifts, standard.shifts) ? {} : { shifts: rules.shifts }),
  };
}
