/** Forms of the knowledge base (docs/api.md, "Chemicals"). */
export interface Hit {
  cas: string;
  name_zh: string;
  name_en: string;
  score: number;
  by: string;
  how: "name" | "sound" | "slip" | "text";
  flags: string[];
}
export interface Fact {
  value: number;
  unit: string;
  source: string;
  certainty: string | null;
  note: string | null;
}
export interface Accident {
  date: string;
  place: string;
  title: string;
  substances: { cas: string; name_zh: string }[];
  kind: string;
  cause: string;
  lesson: string;
  deaths: string | null;
  source: string;
}
export interface Card {
  cas: string;
  name_zh: string;
  name_en: string;
  aliases: string[];
  un: string[];
  ghs: { code: string; text: string }[];
  ghs_source: string;
  groups: { code: string; name: string }[];
  flags: { flag: string; name: string; no: string; source: string }[];
  properties: ({ key: string; name: string } & Fact)[];
  vapour_pressure: { celsius: number; kpa: number | null; reason: string | null; source: string | null };
  exposure: ({ kind: string } & Fact)[];
  measures: { storage: string[]; fire: string[]; first_aid: string[]; isolation_m: number | null; isolation_fire_m: number | null };
  measure_source: string;
  accidents: Accident[];
  unknown: string[];
}
export type Verdict = "incompatible" | "caution" | "unknown" | "compatible";
export interface Meeting {
  a: { cas: string; name_zh: string };
  b: { cas: string; name_zh: string };
  verdict: Verdict;
  verdict_zh: string;
  gases: string[];
  unjudged: boolean;
  findings: { a: string; b: string; verdict: Verdict; effects: string[]; gases: string[]; reason: string }[];
}
export interface Meetings {
  substances: { cas: string; name_zh: string }[];
  verdict: Verdict;
  verdict_zh: string;
  pairs: Meeting[];
  note: string;
}

/** Flags of lists, with the short word that a list shows. */
export const FLAGS: Record<string, string> = {
  key_regulated: "重点监管",
  special_control: "特别管控",
  highly_toxic: "剧毒",
  explosive_precursor: "易制爆",
  drug_precursor: "易制毒",
};
export const HOW: Record<Hit["how"], string> = { name: "", sound: "音近", slip: "形近", text: "全文" };
const GASES: Record<string, string> = {
  H2S: "硫化氢", HCN: "氰化氢", Cl2: "氯", ClO2: "二氧化氯", SO2: "二氧化硫", SO3: "三氧化硫", NO2: "二氧化氮", NO: "一氧化氮", NH3: "氨", PH3: "磷化氢",
  H2: "氢", C2H2: "乙炔", O2: "氧", CO2: "二氧化碳", CO: "一氧化碳", HCl: "氯化氢", HN3: "叠氮酸", NCl3: "三氯化氮", NH2Cl: "氯胺", CNCl: "氯化氰", NOCl: "亚硝酰氯", AsH3: "砷化氢",
  N2: "氮", CH4: "甲烷", C2H6: "乙烷", HNO3: "硝酸", H2SO4: "硫酸", HClO: "次氯酸", ClN3: "叠氮化氯", CHCl3: "氯仿", NH4Cl: "氯化铵",
};
/** A product as a person reads it: H₂S 硫化氢. */
export function product(formula: string): string {
  const small = formula.replace(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]!);
  return GASES[formula] ? `${small} ${GASES[formula]}` : small;
}
/** Always symbol and word; the worst has the heaviest symbol. */
export const VERDICTS: Record<Verdict, { symbol: string; word: string }> = {
  incompatible: { symbol: "✕", word: "禁忌" },
  caution: { symbol: "!", word: "注意" },
  unknown: { symbol: "?", word: "未知" },
  compatible: { symbol: "○", word: "相容" },
};
