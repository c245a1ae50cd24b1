/** Times, ages and numbers as they stand on screen. Pure; the zone is the server's, set once at sign-in. */

let zone = "Asia/Shanghai";
let cache = new Map<string, Intl.DateTimeFormat>();

export function setZone(name: string | undefined): void {
  if (!name) return;
  try {
    new Intl.DateTimeFormat("zh-CN", { timeZone: name });
    zone = name;
    cache = new Map();
  } catch {
    // an unknown zone name keeps the default
  }
}

type Moment = string | number | Date | null | undefined;

export function toMs(moment: Moment): number | null {
  if (moment === null || moment === undefined || moment === "") return null;
  const ms = typeof moment === "number" ? moment : moment instanceof Date ? moment.getTime() : Date.parse(moment);
  return Number.isFinite(ms) ? ms : null;
}

function parts(ms: number): Record<string, string> {
  let format = cache.get("all");
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    cache.set("all", format);
  }
  return Object.fromEntries(format.formatToParts(ms).map((part) => [part.type, part.value]));
}

/** `15:04:05` */
export function clock(moment: Moment): string {
  const ms = toMs(moment);
  if (ms === null) return "—";
  const p = parts(ms);
  return `${p.hour}:${p.minute}:${p.second}`;
}

/** `11-23` */
export function monthDay(moment: Moment): string {
  const ms = toMs(moment);
  if (ms === null) return "—";
  const p = parts(ms);
  return `${p.month}-${p.day}`;
}

/** `11-23 15:04:05`, with the year in front when it is not this year. */
export function stamp(moment: Moment, now: number = Date.now()): string {
  const ms = toMs(moment);
  if (ms === null) return "—";
  const p = parts(ms);
  const year = p.year === parts(now).year ? "" : `${p.year}-`;
  return `${year}${p.month}-${p.day} ${p.hour}:${p.minute}:${p.second}`;
}

/** A length of time: `8 秒`, `12 分 30 秒`, `3 小时 5 分`, `2 天 4 小时`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "—";
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} 秒`;
  if (s < 3600) return s % 60 && s < 600 ? `${Math.floor(s / 60)} 分 ${s % 60} 秒` : `${Math.floor(s / 60)} 分`;
  if (s < 86400) return `${Math.floor(s / 3600)} 小时 ${Math.floor((s % 3600) / 60)} 分`;
  return `${Math.floor(s / 86400)} 天 ${Math.floor((s % 86400) / 3600)} 小时`;
}

/** Digits after the point that a span of this size needs: about four significant figures. */
export function decimals(span: number): number {
  if (!Number.isFinite(span) || span <= 0) return 2;
  return Math.min(4, Math.max(0, 3 - Math.ceil(Math.log10(span))));
}

export function number(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  return value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, "$1"); // no "-0.0"
}

/** A number without trailing zeros, for limits and parameters. */
export function plain(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "—";
  return String(Number(value.toFixed(digits)));
}

/** `12,345` */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "—" : Math.round(value).toLocaleString("en-US");
}

/** Milliseconds of delay: `420 ms`, `1.2 s`, `3 分`. */
export function delay(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "—";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return duration(ms / 1000);
}
