/** What every page must know of the alarms: how many wait for a person, and the worst of them. */
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { http } from "@/shared/http";
import { useLive } from "@/shared/live";
import type { Alarm, AlarmId, AlarmSummary, Page } from "@/shared/types";
import { LIMITS, PRIORITIES } from "@/shared/words";
import { said, waits, worstPriority } from "./rules";
import { useSound } from "./sound";

export const useCounters = defineStore("counters", () => {
  const summary = ref<AlarmSummary>({ unacknowledged: 0, acknowledged: 0, returned_unacknowledged: 0 });
  const unacknowledged = computed(() => summary.value.unacknowledged + summary.value.returned_unacknowledged);
  const announcement = ref("");
  /** Raised with every alarm that is new to this page. */
  const arrivals = ref(0);
  const waiting = new Map<AlarmId, Alarm>();
  let timer = 0;
  let loading = 0;
  let stopListening: (() => void) | null = null;

  async function load(): Promise<void> {
    const mine = (loading += 1);
    const got = await http.get<Page<Alarm> & { summary: AlarmSummary }>("alarms", { show: "unacknowledged", page_size: 500 });
    if (mine !== loading) return; // a later question is under way
    summary.value = got.summary;
    waiting.clear();
    for (const alarm of got.items) waiting.set(alarm.id, alarm);
    useSound().sound(worstPriority(waiting.values()), false);
  }

  /** The counts come from the server; a burst of alarms asks once a second at most. */
  function soon(): void {
    if (timer) return;
    timer = window.setTimeout(() => {
      timer = 0;
      load().catch(() => undefined); // the connection bar already says so
    }, 700);
  }

  function take(alarm: Alarm): void {
    const before = waiting.get(alarm.id);
    const isNew = alarm.state === "unacknowledged" && !alarm.found_late && (!before || before.level !== alarm.level);
    if (waits(alarm)) waiting.set(alarm.id, alarm);
    else waiting.delete(alarm.id);
    if (isNew) {
      arrivals.value += 1;
      const what = alarm.kind === "quality" ? said(alarm, alarm.value).text : LIMITS[alarm.level];
      announcement.value = `新报警,${PRIORITIES[alarm.priority] ?? ""},${alarm.point_name} ${what}报警,${alarm.enterprise_name}`;
    }
    useSound().sound(worstPriority(waiting.values()), isNew);
    soon();
  }

  async function start(): Promise<void> {
    stopListening ??= useLive().on("alarm", take);
    await load();
  }
  function stop(): void {
    stopListening?.();
    stopListening = null;
    waiting.clear();
    useSound().sound(0, false);
  }

  return { summary, unacknowledged, announcement, arrivals, load, start, stop };
});
