/** The wizard sends what was typed and nothing else, and knows which names need a form. */
import { describe, expect, it } from "vitest";
import { product } from "../src/chemicals/types";
import { emptyEntry, formsOf, rowOf, unitOf, type Row, type Tables } from "../src/gb18218/types";

const row = (part: Partial<Row>): Row => ({ no: 1, name: "", name_en: "", aliases: [], forms: [], form_needed: "", cas: [], Q_t: 1, symbols: [], certainty: "H", ...part });
const tables = {
  table1: [
    row({ no: 39, name: "硝化纤维素(含乙醇≥25%)", aliases: ["硝化纤维素", "硝化棉"], forms: ["含乙醇≥25%"], form_needed: "always", cas: ["9004-70-0"] }),
    row({ no: 41, name: "硝化纤维素(含水≥25%)", aliases: ["硝化纤维素", "硝化棉"], forms: ["含水≥25%"], form_needed: "always", cas: ["9004-70-0"] }),
    row({ no: 65, name: "甲醇", aliases: ["木醇"], cas: ["67-56-1"] }),
  ],
} as unknown as Tables;

describe("identify", () => {
  it("finds a row by name, alias or CAS, and none where several fit", () => {
    expect(rowOf(tables, "木醇")?.no).toBe(65);
    expect(rowOf(tables, "67-56-1")?.no).toBe(65);
    expect(rowOf(tables, "硝化棉")).toBeNull();
    expect(formsOf(tables, "硝化棉").map((one) => one.row.no)).toEqual([39, 41]);
    expect(formsOf(tables, "甲醇")).toEqual([]);
  });
  it("sends numbers as numbers, and what is no number as it was typed", () => {
    const entry = { ...emptyEntry(1), name: "67-56-1", q: "0.1", above: true };
    expect(unitOf("60", [entry])).toEqual({ population_500m: 60, substances: [{ cas: "67-56-1", q_t: 0.1, above_boiling_point: true }] });
    expect(unitOf("", [{ ...entry, name: "甲醇", q: "一百", above: false, category: ["W5.3"] }])).toEqual({ population_500m: "", substances: [{ name: "甲醇", category: ["W5.3"], q_t: "一百" }] });
    const mixture = { ...entry, name: "甲醇", above: false, category: ["W5.4"], mixture: true };
    expect(unitOf("0", [mixture, { ...mixture, pure: ["W5.3"] }])).toEqual({
      population_500m: 0,
      substances: [
        { name: "甲醇", mixture: { category: ["W5.4"] }, q_t: 0.1 },
        { name: "甲醇", mixture: { category: ["W5.4"], pure_category: ["W5.3"] }, q_t: 0.1 },
      ],
    });
  });
  it("writes products as a person reads them", () => {
    expect(product("H2S")).toBe("H₂S 硫化氢");
    expect(product("X9")).toBe("X₉");
  });
});
