/** Keep what a page of slips shows up to date: reload when something happened, and slowly anyway. */
import { onScopeDispose } from "vue";
import { useCatchUp, useLive, useLiveEvent, type SlipsTold } from "@/shared/live";

const SETTLE_MS = 300;
/** A flood makes nobody ask more often than this. */
const APART_MS = 2_000;
/** Deadlines pass without anybody doing anything; and a page that hears nothing asks by itself. */
const SLOWLY_MS = 60_000;
const UNHEARD_MS = 5_000;
const TICK_MS = 1_000;

/**
 * @param reload asks the server again
 * @param mine whether an event concerns the page; default: any slip does
 * @param more reload on warnings and alarms too: the duty list shows them
 */
export function useSlipNews(reload: () => void, mine: (told: SlipsTold) => boolean = () => true, more = false): void {
  const live = useLive();
  let soon = 0;
  let asked = performance.now();
  const again = (): void => {
    soon = 0;
    asked = performance.now();
    reload();
  };
  const wake = (): void => void (soon ||= window.setTimeout(again, Math.max(SETTLE_MS, APART_MS - (performance.now() - asked))));
  useCatchUp(again);
  useLiveEvent("slips", (told) => void (mine(told) && wake()));
  if (more) {
    useLiveEvent("warning", wake);
    useLiveEvent("alarm", wake);
    useLiveEvent("alarms", wake);
  }
  const ticker = window.setInterval(() => {
    if (performance.now() - asked > (live.state === "live" ? SLOWLY_MS : UNHEARD_MS)) again();
  }, TICK_MS);
  onScopeDispose(() => {
    window.clearTimeout(soon);
    window.clearInterval(ticker);
  });
}
