/** Lists as the server declares them. */
export interface ListShape {
  title: string;
  columns: { key: string; title: string; number: boolean; sort: boolean }[];
  filters: { name: string; title: string; choices: [string, string][] }[];
}

export type ListRow = Record<string, string | number | boolean | null>;

/** Columns that are shown; what a column of flags holds stands in one. */
const HIDDEN = new Set(["simulated", "source", "enterprise"]);
export const FLAGS: Record<string, string> = { key_regulated: "重点监管", special_control: "特别管控", highly_toxic: "剧毒", explosive_precursor: "易制爆", drug_precursor: "易制毒" };

export function columns(shape: ListShape): ListShape["columns"] {
  return shape.columns.filter((column) => !HIDDEN.has(column.key) && !(column.key in FLAGS));
}

export function flags(row: ListRow): string {
  return Object.entries(FLAGS)
    .filter(([key]) => row[key] === true)
    .map(([, word]) => word)
    .join("、");
}

const QUANTITIES: Record<string, string> = { WD: "温度", YL: "压力", YW: "液位", QT: "气体", LL: "流量", SD: "湿度", ZF: "组分", FW: "阀位", KG: "开关", DL: "电流", GL: "功率", ZS: "转速", FS: "风速", FX: "风向", QY: "气压", CL: "储量" };

export function cell(key: string, value: ListRow[string]): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "是" : "否";
  if (key === "level" || key === "worst") return `${["", "一", "二", "三", "四"][Number(value)] ?? value}级`;
  if (key === "quantity") return QUANTITIES[String(value)] ?? String(value);
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en-US") : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
  return String(value);
}
