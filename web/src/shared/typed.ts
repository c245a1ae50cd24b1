/** What a person types into a search box: it counts once they pause, and follows when the filter is changed elsewhere. */
import { getCurrentScope, onScopeDispose, ref, watch, type Ref } from "vue";

/**
 * @param filter reads the filter
 * @param search sets it, with what was typed, trimmed
 * @param pauseMs how long a person must pause
 */
export function useTyped(filter: () => string, search: (text: string) => void, pauseMs = 300): Ref<string> {
  const text = ref(filter());
  let pausing: ReturnType<typeof setTimeout> | undefined;
  watch(text, (value) => {
    clearTimeout(pausing);
    pausing = setTimeout(() => search(value.trim()), pauseMs);
  });
  // A link, or back and forward, sets the filter under the box.
  watch(filter, (value) => {
    if (value !== text.value.trim()) text.value = value;
  });
  if (getCurrentScope()) onScopeDispose(() => clearTimeout(pausing));
  return text;
}
