/** Rules that two people change: a draft by one, put in force by another. Types of the API, and their words. */
import { ApiError } from "./http";

export interface Version {
  id: number;
  state: "draft" | "approved" | "retired" | "rejected" | "withdrawn";
  digest: string;
  why: string;
  by: string;
  at: string;
  decided_by: string | null;
  decided_at: string | null;
  decided_why: string | null;
  differences: Record<string, [unknown, unknown]>;
}

export const VERSION_STATES: Record<Version["state"], string> = { draft: "待审批", approved: "生效", retired: "已被取代", rejected: "已否决", withdrawn: "已撤回" };
export const VERSION_DEEDS: Record<Version["state"], string> = { draft: "", approved: "批准", retired: "批准", rejected: "否决", withdrawn: "撤回" };

/** The same error with its fields in the words of the page. */
export function inWords(error: ApiError | null, says: (field: string) => string): ApiError | null {
  if (!error || !Object.keys(error.fields).length) return error;
  const fields = Object.fromEntries(Object.entries(error.fields).map(([field, text]) => [says(field), text]));
  return new ApiError(error.status, error.code, error.message, error.hint, fields, error.body);
}
