/** The window of a figure: ending now, or any past one. Kept in the address. */
import { computed, type ComputedRef } from "vue";
import { useKept } from "@/shared/kept";

export const WINDOWS = [
  { id: "8h", word: "8 小时", ms: 8 * 3_600_000 },
  { id: "24h", word: "24 小时", ms: 24 * 3_600_000 },
  { id: "7d", word: "7 天", ms: 7 * 86_400_000 },
  { id: "30d", word: "30 天", ms: 30 * 86_400_000 },
  { id: "1y", word: "1 年", ms: 365 * 86_400_000 },
] as const;

export interface WindowChoice {
  [name: string]: string;
  window: string;
  from: string;
  to: string;
}

export function useWindow(name: string, standard = "24h"): { chosen: WindowChoice; live: ComputedRef<boolean>; span: () => { from: number; to: number } } {
  const chosen = useKept<WindowChoice>(name, { window: standard, from: "", to: "" });
  const live = computed(() => chosen.window !== "custom");
  function span(): { from: number; to: number } {
    if (chosen.window === "custom" && chosen.from && chosen.to) return { from: Number(chosen.from), to: Number(chosen.to) };
    const ms = WINDOWS.find((one) => one.id === chosen.window)?.ms ?? WINDOWS[1].ms;
    const now = Date.now();
    return { from: now - ms, to: now };
  }
  return { chosen, live, span };
}
