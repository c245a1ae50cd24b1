/** Forms of identification after GB 18218 (docs/api.md, "Identification"). */
export interface Row {
  no: number;
  name: string;
  name_en: string;
  aliases: string[];
  forms: string[];
  form_needed: "" | "always" | "with_cas";
  cas: string[];
  Q_t: number;
  symbols: string[];
  certainty: string;
}
export interface Category {
  symbol: string;
  hazard: string;
  description: string;
  Q_t: number;
  beta: number;
}
export interface Tables {
  table1: Row[];
  table2: Category[];
  table3: { cas: string; name: string; beta: number }[];
  table5: { from: number; label: string; alpha: number }[];
  table6: { from: number; level: string; number: number }[];
  unit_kinds: Record<string, string>;
  not_applicable: Record<string, string>;
  beta_choice: string;
}
/** A substance as it is filled in; numbers are text until they are sent. */
export interface Entry {
  key: number;
  name: string;
  form: string;
  category: string[];
  q: string;
  above: boolean;
  /** A mixture (4.2.3): `category` is its own class, `pure` that of its substance pure. */
  mixture: boolean;
  pure: string[];
}
export const emptyEntry = (key: number): Entry => ({ key, name: "", form: "", category: [], q: "", above: false, mixture: false, pure: [] });
export interface Term {
  name: string;
  q_t: number;
  Q_t: number;
  beta: number;
  ratio: number;
  symbol: string;
  clause: string;
  note: string;
}
export interface Result {
  S: number;
  is_major_hazard: boolean;
  R: number | null;
  level: string | null;
  level_number: number | null;
  alpha: number;
  alpha_label: string;
  terms: Term[];
}
export interface Version {
  version: number;
  at: string;
  who: string;
  unit_kind: string;
  boundary: string;
  note: string;
  adopted: boolean;
  S: number;
  is_major_hazard: boolean;
  R: number | null;
  level: string | null;
}

/** The row of Table 1 that a name means; null where there is none, or several. */
export function rowOf(tables: Tables, name: string): Row | null {
  const asked = name.trim().toLowerCase();
  const full = tables.table1.find((row) => row.name === name.trim());
  if (full) return full;
  const found = tables.table1.filter((row) => row.aliases.some((one) => one.toLowerCase() === asked) || row.cas.includes(asked) || row.name_en.toLowerCase() === asked);
  return found.length === 1 ? found[0]! : null;
}
/** Forms that a name can have: those of all rows that it may mean. */
export function formsOf(tables: Tables, name: string): { form: string; row: Row }[] {
  const asked = name.trim();
  if (!asked || tables.table1.some((row) => row.name === asked)) return [];
  return tables.table1.filter((row) => row.forms.length && (row.aliases.includes(asked) || row.cas.includes(asked))).map((row) => ({ form: row.forms[0]!, row }));
}
/** The body that the server judges. A number that is none is left out, so that the server names the field. */
export function unitOf(people: string, entries: Entry[]): Record<string, unknown> {
  const number = (text: string) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text);
  return {
    population_500m: number(people),
    substances: entries.map((one) => ({
      [/^\d{2,7}-\d{2}-\d$/.test(one.name.trim()) ? "cas" : "name"]: one.name.trim(),
      ...(one.form ? { form: one.form } : {}),
      ...(one.mixture ? { mixture: { category: one.category, ...(one.pure.length ? { pure_category: one.pure } : {}) } } : one.category.length ? { category: one.category } : {}),
      q_t: number(one.q),
      ...(one.above ? { above_boiling_point: true } : {}),
    })),
  };
}
