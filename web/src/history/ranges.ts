/** Ranges of a trend and the rows it draws. Pure. */
import type { History, Limits } from "@/shared/types";

export interface Range {
  from: number;
  to: number;
}

export const RANGES = [
  { id: "1h", word: "1 小时", ms: 3_600_000 },
  { id: "8h", word: "8 小时", ms: 8 * 3_600_000 },
  { id: "24h", word: "24 小时", ms: 24 * 3_600_000 },
  { id: "7d", word: "7 天", ms: 7 * 24 * 3_600_000 },
] as const;
export type RangeId = (typeof RANGES)[number]["id"] | "custom";

export type Band = [from: number, to: number];

export interface Drawn {
  /** [ms, value], with null values where the line must break. */
  line: [number, number | null][];
  low: [number, number | null][];
  high: [number, number | null][];
  /** Spans with bad quality, and spans without data: hatched. */
  bad: Band[];
  gaps: Band[];
  count: number;
}

/** A pause longer than this many steps is a gap, not a line. */
const GAP_STEPS = 3;
const HOLD_S = 60;

/**
 * From which pause on something is missing. Samples are stored when they change and once per heartbeat, so a quiet
 * value leaves pauses that are none; only a pause well beyond the heartbeat is.
 */
function gapAfter(history: Pick<History, "step" | "source" | "hold_s">): number {
  const steps = history.step * 1_000 * GAP_STEPS;
  return history.source === "minute" ? steps : Math.max(steps, (history.hold_s ?? HOLD_S) * 2_500);
}

/** What is known of the time after the last row: how far it goes, and whether the value is still confirmed there. */
export interface Tail {
  until: number;
  confirmed: boolean;
}

/**
 * Turn history rows into what is drawn. A sample of bad quality is no point of the line: a plausible number must not come
 * from it. A step with some good samples is drawn from those, and still marked. Where nothing came the line breaks.
 */
export function draw(history: Pick<History, "rows" | "step" | "source" | "hold_s">, tail?: Tail): Drawn {
  const drawn: Drawn = { line: [], low: [], high: [], bad: [], gaps: [], count: 0 };
  const pause = gapAfter(history);
  const width = Math.max(history.step * 1_000, 0);
  let previous: number | null = null;
  let wasBad = false;
  const put = (ms: number, value: number | null, low: number | null, high: number | null) => {
    drawn.line.push([ms, value]);
    drawn.low.push([ms, low]);
    drawn.high.push([ms, high]);
  };
  for (const [ms, min, max, mean, last, , quality] of history.rows) {
    if (previous !== null && ms - previous > pause) {
      drawn.gaps.push([previous + width, ms]);
      put(previous + 1, null, null, null);
      wasBad = false;
    }
    // 1 and 2 (beyond the range) are still judged; everything above says nothing of the process.
    if (quality > 2) {
      const band = drawn.bad.at(-1);
      if (band && previous !== null && wasBad) band[1] = ms + width;
      else drawn.bad.push([ms, ms + width]);
      wasBad = true;
    } else {
      const band = drawn.bad.at(-1);
      if (band && wasBad && previous !== null && ms - previous <= pause) band[1] = ms; // bad until the next good one
      wasBad = false;
    }
    const value = quality > 2 && history.step === 0 ? null : (mean ?? last);
    if (value === null) put(ms, null, null, null);
    else {
      put(ms, value, min ?? value, max ?? value);
      drawn.count += 1;
    }
    previous = ms;
  }
  const end = drawn.line.at(-1);
  if (tail && end && previous !== null && tail.until > previous + width) {
    const known = tail.confirmed || tail.until - previous <= pause;
    if (!known) drawn.gaps.push([previous + width, tail.until]);
    else if (end[1] !== null && history.source === "raw") {
      const stands = history.rows.at(-1)![4] ?? end[1]; // the last value of a step, not its mean
      put(tail.until, stands, stands, stands);
    }
  }
  return drawn;
}

/** How many times further than the nearest limit the other one may lie and still be shown. */
const FLAT = 10;

/**
 * Bounds of the value axis: the data, the nearest limit on either side, and further limits only when they lie close by.
 * A value near its limit is then seen in detail, and one far away is seen with the limit it may run into.
 */
export function bounds(drawn: Drawn, limits: Partial<Limits>): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const [, value] of drawn.low) if (value !== null && value < low) low = value;
  for (const [, value] of drawn.high) if (value !== null && value > high) high = value;
  if (low > high) return null;
  const all = [limits.ll, limits.l, limits.h, limits.hh].filter((one): one is number => one !== null && one !== undefined);
  const above = Math.min(...all.filter((limit) => limit >= high));
  const below = Math.max(...all.filter((limit) => limit <= low));
  const inside = all.some((limit) => limit > low && limit < high);
  const nearest = inside ? high - low : Math.min(above - high, low - below);
  // The limit of the other side is context only while it does not flatten the line.
  const far = FLAT * Math.max(high - low, nearest);
  if (above - high <= far) high = above;
  if (low - below <= far) low = below;
  const reach = (high - low) * 0.3;
  const near = all.filter((limit) => limit >= low - reach && limit <= high + reach);
  low = Math.min(low, ...near);
  high = Math.max(high, ...near);
  // A value that never moved stands in the middle, with figures above and below it.
  const margin = high > low ? (high - low) * 0.08 : Math.abs(high) * 0.1 || 0.5;
  return [low - margin, high + margin];
}
