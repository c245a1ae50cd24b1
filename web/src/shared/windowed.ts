/** A long list of which only the window on screen is read: the server pages, the page scrolls through all of it. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { ApiError, http, type Query } from "./http";
import type { Page } from "./types";

export interface Windowed<T, P extends Page<T>> {
  answer: ShallowRef<P | null>;
  total: Ref<number>;
  loading: Ref<boolean>;
  loaded: Ref<boolean>;
  error: ShallowRef<ApiError | null>;
  /** Raised whenever rows changed. */
  version: Ref<number>;
  at: (index: number) => T | undefined;
  /** Rows that are in memory, with their place. */
  known: () => [number, T][];
  show: (first: number, last: number) => void;
  put: (index: number, row: T) => void;
  reload: () => Promise<void>;
}

/**
 * @param path route under /api/v1
 * @param query the filters; a change starts anew
 * @param size rows of one question
 * @param moved called when a reload found more or fewer rows, so that the window may stay on its rows
 */
export function useWindowed<T, P extends Page<T> = Page<T>>(
  path: string,
  query: () => Query,
  size = 100,
  moved: (more: number) => void = () => undefined,
): Windowed<T, P> {
  const pages = new Map<number, T[]>();
  const answer = shallowRef(null) as ShallowRef<P | null>;
  const total = ref(0);
  const loading = ref(false);
  const loaded = ref(false);
  const error = shallowRef<ApiError | null>(null);
  const version = ref(0);
  let window_: [number, number] = [0, size];
  let turn = 0;
  const asked = new Set<number>();

  async function ask(page: number, mine: number): Promise<void> {
    asked.add(page);
    loading.value = true;
    try {
      const got = await http.get<P>(path, { ...query(), page: page + 1, page_size: size });
      if (mine !== turn) return;
      pages.set(page, got.items);
      answer.value = got;
      total.value = got.total;
      error.value = null;
      loaded.value = true;
      version.value += 1;
    } catch (problem) {
      if (mine !== turn) return;
      error.value = problem instanceof ApiError ? problem : new ApiError(0, "page", String(problem));
    } finally {
      asked.delete(page);
      loading.value = asked.size > 0;
    }
  }
  function wanted(): number[] {
    const first = Math.max(0, Math.floor(window_[0] / size));
    const last = Math.floor(Math.max(window_[0], window_[1] - 1) / size);
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  }
  function show(first: number, last: number): void {
    window_ = [first, last];
    for (const page of wanted()) if (!pages.has(page) && !asked.has(page)) void ask(page, turn);
    for (const page of pages.keys()) if (Math.abs(page - Math.floor(first / size)) > 20) pages.delete(page);
  }
  /** Read the window anew; rows stay on screen until the new ones are there. */
  async function reload(): Promise<void> {
    const mine = (turn += 1);
    const before = total.value;
    asked.clear();
    const first = loaded.value;
    const old = new Set(pages.keys());
    await Promise.all(wanted().map((page) => ask(page, mine)));
    if (mine !== turn) return;
    for (const page of old) if (!wanted().includes(page)) pages.delete(page);
    if (first && total.value !== before) moved(total.value - before);
  }
  watch(
    () => JSON.stringify(query()),
    () => {
      pages.clear();
      window_ = [0, size];
      loaded.value = false;
      version.value += 1;
      void reload();
    },
  );
  void reload();
  return {
    answer, total, loading, loaded, error, version, show, reload,
    at: (index) => pages.get(Math.floor(index / size))?.[index % size],
    known: () => [...pages.entries()].flatMap(([page, rows]) => rows.map((row, k): [number, T] => [page * size + k, row])),
    put: (index, row) => {
      const rows = pages.get(Math.floor(index / size));
      if (!rows) return;
      rows[index % size] = row;
      version.value += 1;
    },
  };
}
