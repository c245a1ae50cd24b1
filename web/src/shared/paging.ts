/** A list that the server pages: filters in, items and total out, reloaded without flicker. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { ApiError, http, type Query } from "./http";
import type { Page } from "./types";

export interface Paged<T, P extends Page<T>> {
  items: ShallowRef<T[]>;
  answer: ShallowRef<P | null>;
  total: Ref<number>;
  page: Ref<number>;
  pageSize: Ref<number>;
  loading: Ref<boolean>;
  loaded: Ref<boolean>;
  error: ShallowRef<ApiError | null>;
  reload: () => Promise<void>;
}

/**
 * @param path route under /api/v1
 * @param query the filters; a change goes back to page 1 and reloads
 * @param size rows of a page
 */
export function usePaged<T, P extends Page<T> = Page<T>>(path: string, query: () => Query, size = 50): Paged<T, P> {
  const items = shallowRef<T[]>([]);
  const answer = shallowRef(null) as ShallowRef<P | null>;
  const total = ref(0);
  const page = ref(1);
  const pageSize = ref(size);
  const loading = ref(false);
  const loaded = ref(false);
  const error = shallowRef<ApiError | null>(null);
  let running: AbortController | null = null;

  async function reload(): Promise<void> {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    loading.value = true;
    try {
      const got = await http.get<P>(path, { ...query(), page: page.value, page_size: pageSize.value }, mine.signal);
      if (running !== mine) return;
      const last = Math.max(1, Math.ceil(got.total / pageSize.value));
      if (page.value > last) {
        page.value = last; // the list became shorter under us: the watcher reloads
        return;
      }
      answer.value = got;
      items.value = got.items;
      total.value = got.total;
      error.value = null;
      loaded.value = true;
    } catch (problem) {
      if (problem instanceof DOMException) return;
      error.value = problem instanceof ApiError ? problem : new ApiError(0, "page", String(problem));
    } finally {
      if (running === mine) loading.value = false;
    }
  }

  watch([page, pageSize], () => void reload());
  watch(
    () => JSON.stringify(query()),
    () => {
      if (page.value === 1) void reload();
      else page.value = 1;
    },
  );
  void reload();
  return { items, answer, total, page, pageSize, loading, loaded, error, reload };
}
