/** Words of what hangs on the tree: guidance by level, annunciation by priority. */
import { LIMITS, PRIORITIES } from "@/shared/words";

export type Topic = "guidance" | "policy";
export const TOPICS: Record<Topic, string> = { guidance: "处置指导", policy: "报警方式" };
export const FIELDS: Record<Topic, string[]> = {
  guidance: ["cause", "consequence", "action", "respond_s"],
  policy: ["latch", "realarm_s", "shelve_max_s"],
};
export const FIELD_WORDS: Record<string, string> = {
  cause: "可能原因",
  consequence: "不处置的后果",
  action: "处置措施",
  respond_s: "响应时间",
  latch: "锁存",
  realarm_s: "再次提醒",
  shelve_max_s: "最长搁置",
};
export const PARTS: Record<Topic, { id: string; word: string }[]> = {
  guidance: [
    { id: "", word: "所有报警" },
    ...(["HH", "H", "L", "LL"] as const).map((level) => ({ id: level, word: `${LIMITS[level]}报警` })),
    { id: "quality", word: "质量报警" },
  ],
  policy: [{ id: "", word: "所有报警" }, ...Object.entries(PRIORITIES).map(([id, word]) => ({ id, word: `${id} ${word}` }))],
};

/** Where on the tree a code stands. */
export function nodeWord(code: string): string {
  if (code === "") return "默认";
  return { 22: "本指标", 17: "设备", 12: "危险源", 9: "企业", 6: code.endsWith("0000") ? "省" : code.endsWith("00") ? "市" : "县区" }[code.length] ?? "园区";
}
