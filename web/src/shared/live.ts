/**
 * The live stream: one connection for the whole page, which knows how old what it shows is.
 *
 * A new subscription opens its connection before the old one is closed, so nothing falls between them. After a loss the
 * first `hello` raises `epoch`: every list watches it and reloads, then goes on live.
 */
import { defineStore } from "pinia";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";
import { withQuery } from "./http";
import type { Warned } from "@/warnings/types";
import type { Alarm, Beat, Link, LiveGrade, LiveValue } from "./types";

/** Nothing heard for longer than this means the connection is lost (a beat comes every 2 s). */
export const LOST_AFTER_MS = 6_000;

/** A flood: how many alarms changed at once, and the most urgent of them. */
export interface AlarmsTold {
  count: number;
  seq: number;
  items: Alarm[];
}

/** Slips that something happened to: how many, and the first of them. */
export interface SlipsTold {
  count: number;
  items: { id: string; number: number; action: string; state: string }[];
}

export interface LiveEvents {
  alarm: Alarm;
  alarms: AlarmsTold;
  grade: LiveGrade;
  link: Link;
  slips: SlipsTold;
  values: LiveValue[];
  warning: Warned;
}
type Handler<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;

export const useLive = defineStore("live", () => {
  const epoch = ref(0);
  const beat = shallowRef<Beat | null>(null);
  const silentMs = ref(0);
  const everHeard = ref(false);
  const lost = computed(() => silentMs.value > LOST_AFTER_MS);
  const state = computed(() => (lost.value ? "lost" : everHeard.value ? "live" : "connecting"));
  /** Server minus browser clock, so that ages are right on a desk whose clock is not. */
  const skewMs = ref(0);

  const handlers: { [K in keyof LiveEvents]: Set<Handler<K>> } = {
    alarm: new Set(),
    alarms: new Set(),
    grade: new Set(),
    link: new Set(),
    slips: new Set(),
    values: new Set(),
    warning: new Set(),
  };
  const wanted = new Map<symbol, { source?: string; points?: string[] }>();
  let current: EventSource | null = null;
  let pending: EventSource | null = null;
  let lastHeard = 0;
  let openedAt = 0;
  let startedAt = 0;
  let broken = false;
  let paused = false;
  let waitMs = 1_000;
  let ticker = 0;
  let retry = 0;

  function address(): string {
    const sources = new Set<string>();
    const points = new Set<string>();
    for (const one of wanted.values()) {
      if (one.source) sources.add(one.source);
      for (const code of one.points ?? []) points.add(code);
    }
    return withQuery("live", { source: [...sources], point: [...points] });
  }

  function heard(): void {
    lastHeard = performance.now();
    silentMs.value = 0;
    everHeard.value = true;
  }

  function listen(stream: EventSource): void {
    const on = <T>(name: string, act: (data: T) => void) =>
      stream.addEventListener(name, (event) => {
        if (stream !== current && stream !== pending) return;
        heard();
        act(JSON.parse((event as MessageEvent<string>).data) as T);
      });
    on<{ server_time: string }>("hello", (data) => {
      skewMs.value = Date.parse(data.server_time) - Date.now();
      if (stream === pending) {
        current?.close();
        current = stream;
        pending = null;
      }
      waitMs = 1_000;
      if (broken) {
        broken = false;
        epoch.value += 1;
      }
    });
    on<Beat>("beat", (data) => {
      skewMs.value = Date.parse(data.server_time) - Date.now();
      beat.value = data;
    });
    for (const name of ["alarm", "alarms", "grade", "link", "slips", "values", "warning"] as const) {
      on<never>(name, (data) => handlers[name].forEach((handler) => handler(data)));
    }
    stream.onerror = () => {
      if (stream !== current && stream !== pending) return;
      fail(stream);
    };
  }

  function fail(stream: EventSource | null): void {
    stream?.close();
    if (stream === pending) pending = null;
    if (stream === current) current = null;
    broken = true;
    if (retry) return;
    retry = window.setTimeout(() => {
      retry = 0;
      open();
    }, waitMs);
    waitMs = Math.min(5_000, waitMs * 1.6);
  }

  function open(): void {
    pending?.close();
    pending = new EventSource(address());
    openedAt = performance.now();
    listen(pending);
  }

  /** A hidden page that nobody listens to gives its connection back: a browser has only six for one host. */
  function pause(): void {
    if (!ticker) return;
    paused = true;
    window.clearTimeout(retry);
    retry = 0;
    current?.close();
    pending?.close();
    current = pending = null;
  }

  function resume(): void {
    if (!ticker || !paused) return;
    paused = false;
    broken = true; // what happened meanwhile is fetched at the next hello
    open();
  }

  function tick(): void {
    if (paused) return;
    const now = performance.now();
    silentMs.value = now - (everHeard.value ? lastHeard : startedAt);
    // A half-open connection raises no error: give up on silence as well.
    const limit = LOST_AFTER_MS + 2_000;
    if (retry) return;
    if (now - Math.max(lastHeard, openedAt) > limit) {
      current?.close();
      current = null;
      fail(pending);
    } else if (pending && now - openedAt > limit) fail(pending);
  }

  function start(): void {
    if (ticker) return;
    startedAt = performance.now();
    ticker = window.setInterval(tick, 500);
    open();
  }

  function stop(): void {
    window.clearInterval(ticker);
    window.clearTimeout(retry);
    ticker = retry = 0;
    current?.close();
    pending?.close();
    current = pending = null;
    everHeard.value = broken = paused = false;
    silentMs.value = 0;
    beat.value = null;
  }

  let reopening = false;
  function resubscribe(): void {
    if (!ticker || reopening || paused) return;
    reopening = true;
    queueMicrotask(() => {
      reopening = false;
      open();
    });
  }

  function subscribe(want: { source?: string; points?: string[] }): () => void {
    const id = Symbol("want");
    wanted.set(id, want);
    resubscribe();
    return () => {
      wanted.delete(id);
      resubscribe();
    };
  }

  function on<K extends keyof LiveEvents>(name: K, handler: Handler<K>): () => void {
    handlers[name].add(handler);
    return () => void handlers[name].delete(handler);
  }

  return { epoch, beat, silentMs, everHeard, lost, state, skewMs, start, stop, pause, resume, subscribe, on };
});

/** Listen while the calling component lives. */
export function useLiveEvent<K extends keyof LiveEvents>(name: K, handler: Handler<K>): void {
  onScopeDispose(useLive().on(name, handler));
}

/**
 * Run when the stream came back after a loss: reload what may have been missed. So is what happened between the first
 * question of a page that was just opened and the first word of the stream.
 */
export function useCatchUp(reload: () => void): void {
  const live = useLive();
  onScopeDispose(watch(() => live.epoch, reload));
  if (!live.everHeard) onScopeDispose(watch(() => live.everHeard, reload, { once: true }));
}
