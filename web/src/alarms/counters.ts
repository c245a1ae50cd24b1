/** What every page must know of the alarms: how many wait for a person, and the worst that rings in this control room. */
import { defineStore } from "pinia";
import { computed, ref } from "vue";
import { useSession } from "@/identity/session";
import { http } from "@/shared/http";
import type { Alarm, AlarmPageAnswer, AlarmSummary } from "@/shared/types";
import { LIMITS, PRIORITIES } from "@/shared/words";
import { useFeed } from "./feed";
import { asideOf, rings, said, waitingOf, worstRinging } from "./rules";
import { useSound } from "./sound";

const NOTHING = {
  unacknowledged: 0, acknowledged: 0, returned_unacknowledged: 0, latched_unacknowledged: 0, latched_acknowledged: 0,
  shelved: 0, suppressed: 0, out_of_service: 0,
};

export const useCounters = defineStore("counters", () => {
  const session = useSession();
  const feed = useFeed();
  const summary = ref<AlarmSummary>({ ...NOTHING });
  const unacknowledged = computed(() => waitingOf(summary.value));
  const aside = computed(() => asideOf(summary.value));
  const announcement = ref("");
  /** Raised with every alarm that is new to this page. */
  const arrivals = ref(0);
  const room = computed(() => session.account?.scope?.code ?? "");
  let timer = 0;
  let answered = 0;
  let newest = 0;
  let loading = 0;
  let stopListening: (() => void) | null = null;

  async function load(): Promise<void> {
    const mine = (loading += 1);
    const got = await http.get<AlarmPageAnswer>("alarms", { show: "unacknowledged", page_size: 1 });
    if (mine !== loading) return; // a later question is under way
    know(got);
  }

  /** Every list carries the counts of the whole scope, so that two numbers on one screen never differ. */
  function know(got: AlarmPageAnswer): void {
    if (got.seq < newest) return; // an answer that was overtaken
    newest = got.seq;
    feed.know(got.seq);
    summary.value = got.summary;
    useSound().sound(worstRinging(got.ringing), false);
  }

  /** The counts come from the server: at once after a quiet moment, in a burst of alarms once a second at most. */
  function soon(): void {
    if (timer) return;
    timer = window.setTimeout(() => {
      timer = 0;
      answered = performance.now();
      load().catch(() => undefined); // the connection bar already says so
    }, Math.max(60, answered + 700 - performance.now()));
  }

  function take(alarm: Alarm): void {
    if (alarm.rose && rings(alarm, room.value)) {
      arrivals.value += 1;
      const what = alarm.kind === "quality" ? said(alarm, alarm.value).text : LIMITS[alarm.level];
      announcement.value = `新报警,${PRIORITIES[alarm.priority] ?? ""},${alarm.point_name} ${what}报警,${alarm.enterprise_name}`;
      const sound = useSound();
      sound.sound(sound.sounding && !sound.silenced ? Math.min(sound.sounding, alarm.priority) : alarm.priority, true);
    }
    soon();
  }

  async function start(): Promise<void> {
    feed.start();
    stopListening ??= feed.listen({
      one: take,
      many: (worst, count) => {
        for (const alarm of worst) take(alarm);
        announcement.value = `${count} 条报警同时变化`;
      },
    });
    await load();
  }
  function stop(): void {
    stopListening?.();
    stopListening = null;
    feed.stop();
    newest = 0;
    useSound().sound(0, false);
  }

  /**
   * Stop the horn: here at once, and on the other desks of this control room. It acknowledges nothing. What rings after
   * that has risen since, so that the server's count brings the sound back also where this page missed the event.
   */
  async function silence(): Promise<void> {
    useSound().silence();
    if (!session.may("operator")) return;
    await http.post("alarms/silence", {}).then(load).catch(() => undefined);
  }

  return { summary, unacknowledged, aside, announcement, arrivals, room, load, know, start, stop, silence };
});
