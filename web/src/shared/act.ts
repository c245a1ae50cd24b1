/** Run an action of a person: while it runs the button is busy, and its error stays on screen in the server's words. */
import { ref, shallowRef, type Ref, type ShallowRef } from "vue";
import { ApiError } from "./http";

export function useAct(): {
  busy: Ref<boolean>;
  error: ShallowRef<ApiError | null>;
  act: (action: () => Promise<void>) => Promise<boolean>;
} {
  const busy = ref(false);
  const error = shallowRef<ApiError | null>(null);
  async function act(action: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    error.value = null;
    try {
      await action();
      return true;
    } catch (problem) {
      error.value = problem instanceof ApiError ? problem : new ApiError(0, "page", String(problem));
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, error, act };
}
