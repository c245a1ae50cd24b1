/**
 * Tones of the alarm room. A browser plays nothing before a click, so 「值班上岗」 starts audio.
 * One tone per priority: 1 urgent = three quick high beeps, 2 high = two, 3 quality = one low.
 */
import { defineStore } from "pinia";
import { computed, ref } from "vue";

const PATTERNS: Record<number, { hz: number; beeps: number; length: number; pause: number }> = {
  1: { hz: 988, beeps: 3, length: 0.14, pause: 0.08 },
  2: { hz: 740, beeps: 2, length: 0.2, pause: 0.14 },
  3: { hz: 440, beeps: 1, length: 0.3, pause: 0 },
};
const REPEAT_MS: Record<number, number> = { 1: 2_000, 2: 4_000, 3: 10_000 };
const KEY = "hazwatch.duty";

export const useSound = defineStore("sound", () => {
  const duty = ref(localStorage.getItem(KEY) === "on");
  const running = ref(false);
  const silenced = ref(false);
  const sounding = ref(0);
  const state = computed(() => (!duty.value ? "off" : running.value ? "on" : "blocked"));
  let audio: AudioContext | null = null;
  let timer = 0;

  function play(priority: number): void {
    const pattern = PATTERNS[priority];
    if (!audio || !pattern || audio.state !== "running") return;
    let at = audio.currentTime + 0.02;
    for (let i = 0; i < pattern.beeps; i += 1) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      tone.frequency.value = pattern.hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.25, at + 0.01);
      gain.gain.setValueAtTime(0.25, at + pattern.length - 0.02);
      gain.gain.linearRampToValueAtTime(0, at + pattern.length);
      tone.connect(gain).connect(audio.destination);
      tone.start(at);
      tone.stop(at + pattern.length);
      at += pattern.length + pattern.pause;
    }
  }

  function cycle(): void {
    window.clearTimeout(timer);
    timer = 0;
    if (!sounding.value || silenced.value || !running.value) return;
    play(sounding.value);
    timer = window.setTimeout(cycle, REPEAT_MS[sounding.value] ?? 4_000);
  }

  /** Must be called from a click or a key: the browser asks for one. */
  async function goOnDuty(): Promise<void> {
    duty.value = true;
    localStorage.setItem(KEY, "on");
    audio ??= new AudioContext();
    audio.onstatechange = () => (running.value = audio?.state === "running");
    await audio.resume();
    running.value = audio.state === "running";
    play(3);
    window.clearTimeout(timer);
    timer = window.setTimeout(cycle, 800);
  }

  async function leaveDuty(): Promise<void> {
    duty.value = false;
    localStorage.removeItem(KEY);
    window.clearTimeout(timer);
    await audio?.suspend();
    running.value = false;
  }

  /** The worst priority that is unacknowledged now; 0 is quiet. A new alarm ends a silence. */
  function sound(priority: number, isNew: boolean): void {
    const changed = sounding.value !== priority;
    sounding.value = priority;
    if (isNew) silenced.value = false;
    if (priority === 0) silenced.value = false;
    if (isNew || (changed && !silenced.value)) cycle();
  }

  function silence(): void {
    silenced.value = true;
    window.clearTimeout(timer);
  }

  return { duty, running, silenced, sounding, state, goOnDuty, leaveDuty, sound, silence };
});
