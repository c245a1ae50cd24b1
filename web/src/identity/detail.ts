/** The detail of an audit entry as a person reads it; the whole stands in the title of its cell. Pure. */

const WORDS: Record<string, string> = {
  address: "地址",
  file: "文件",
  note: "说明",
  ids: "条数",
  counts: "",
  new: "新增",
  changed: "变更",
  unchanged: "不变",
  first: "首个账号",
  params: "参数",
  role: "角色",
  scope: "范围",
  name: "姓名",
  enabled: "启用",
};
const HIDDEN = new Set(["sha256", "id"]);

function part(key: string, value: unknown): string {
  const word = WORDS[key] ?? key;
  if (HIDDEN.has(key) || value === null || value === undefined || value === "" || value === 0) return "";
  if (Array.isArray(value)) return `${word} ${value.length}`.trim();
  if (typeof value === "object") {
    const inside = detailText(value);
    return inside && `${word} ${inside}`.trim();
  }
  if (typeof value === "boolean") return value ? word : `${word}:否`;
  return `${word} ${String(value)}`;
}

export function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return "";
  if (typeof detail !== "object") return String(detail);
  return Object.entries(detail)
    .map(([key, value]) => part(key, value))
    .filter(Boolean)
    .join(",");
}
