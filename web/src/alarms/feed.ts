/**
 * Every change of an alarm, once and without gaps. Live events bring it; their numbers (`seq`) say when one is missing,
 * and what is missing is fetched by number: after a lost connection, or when a beat knows of changes that never came.
 */
import { defineStore } from "pinia";
import { onScopeDispose, ref, watch } from "vue";
import { http } from "@/shared/http";
import { useLive } from "@/shared/live";
import type { Alarm } from "@/shared/types";

interface Changes {
  items: Alarm[];
  seq: number;
  more: boolean;
}
interface Listener {
  one: (alarm: Alarm) => void;
  many: (worst: Alarm[], count: number) => void;
}
/** More changes than this are not applied one by one: lists ask for what they show. */
const MANY = 200;

export const useFeed = defineStore("alarm-feed", () => {
  const live = useLive();
  /** Number of the newest change that this page knows. */
  const seq = ref(0);
  /** When the page was last sure to know everything, on the browser's clock. */
  const sureAt = ref(0);
  const listeners = new Set<Listener>();
  let catching = false;
  let beforeBeat = 0;
  let stops: (() => void)[] = [];

  /** A list was read: it knows everything up to this number. */
  function know(upto: number): void {
    if (upto > seq.value) seq.value = upto;
    sureAt.value = Date.now();
  }
  function one(alarm: Alarm): void {
    know(alarm.seq);
    for (const listener of listeners) listener.one(alarm);
  }
  function many(items: Alarm[], count: number, upto: number): void {
    know(upto);
    for (const listener of listeners) listener.many(items, count);
  }

  async function catchUp(): Promise<void> {
    if (catching || seq.value === 0) return;
    catching = true;
    try {
      const got = await http.get<Changes>("alarms/changes", { after: seq.value });
      if (got.more) many(got.items.slice(0, 20), got.items.length, got.seq);
      else if (got.items.length > MANY) many(got.items.slice(0, 20), got.items.length, got.seq);
      else {
        for (const alarm of got.items) one(alarm);
        know(got.seq);
      }
      if (got.more) {
        catching = false;
        await catchUp();
      }
    } catch {
      // the connection bar says it; the next beat asks again
    } finally {
      catching = false;
    }
  }

  function start(): void {
    if (stops.length) return;
    stops = [
      live.on("alarm", one),
      live.on("alarms", (told) => many(told.items, told.count, told.seq)),
      watch(() => live.epoch, () => void catchUp()),
      watch(
        () => live.beat,
        (beat) => {
          const known = beat?.alarm_seq ?? 0;
          if (beforeBeat > seq.value && seq.value > 0) void catchUp();
          else if (beat && seq.value >= known) sureAt.value = Date.now();
          beforeBeat = known;
        },
      ),
    ];
  }
  function stop(): void {
    for (const end of stops) end();
    stops = [];
    seq.value = beforeBeat = 0;
  }
  function listen(listener: Listener): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }
  return { seq, sureAt, know, start, stop, listen };
});

/** Listen while the calling component lives. */
export function useAlarmChanges(listener: Listener): void {
  onScopeDispose(useFeed().listen(listener));
}
