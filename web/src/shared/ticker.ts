/** The time of now on the server's clock, ticking once a second for ages on screen. */
import { onScopeDispose, ref, type Ref } from "vue";
import { useLive } from "./live";

export function useNow(everyMs = 1_000): Ref<number> {
  const live = useLive();
  const now = ref(Date.now() + live.skewMs);
  const timer = window.setInterval(() => (now.value = Date.now() + live.skewMs), everyMs);
  onScopeDispose(() => window.clearInterval(timer));
  return now;
}
