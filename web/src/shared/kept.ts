/** Filters that outlive the page: in the address (to be shared) and in the browser (to be found again). */
import { reactive, watch } from "vue";
import { useRoute, useRouter } from "vue-router";

type Values = Record<string, string | string[]>;

/** A value read from an address or a store, in the form of its standard. */
export function fit(given: unknown, standard: string | string[]): string | string[] {
  if (Array.isArray(standard)) {
    if (Array.isArray(given)) return given.filter((one): one is string => typeof one === "string");
    return typeof given === "string" && given ? [given] : [];
  }
  const one = Array.isArray(given) ? given[0] : given;
  return typeof one === "string" ? one : standard;
}

/**
 * @param name of the list, for the browser's store
 * @param standard the values of a first visit
 * @param passing names that stand in the address only: a link from one source must not narrow tomorrow's list
 */
export function useKept<T extends Values>(name: string, standard: T, passing: readonly string[] = []): T {
  const route = useRoute();
  const router = useRouter();
  const home = route.path;
  const key = `hazwatch.filters.${name}`;
  const names = Object.keys(standard);

  function stored(): Record<string, unknown> {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "{}") as Record<string, unknown>;
    } catch {
      return {}; // a damaged entry is as good as none
    }
  }
  function from(given: Record<string, unknown>): Values {
    return Object.fromEntries(names.map((one) => [one, one in given ? fit(given[one], standard[one]!) : standard[one]!]));
  }
  function addressed(): boolean {
    return names.some((one) => one in route.query);
  }
  const values = reactive(from(addressed() ? route.query : stored())) as T;

  function address(): void {
    const query = { ...route.query };
    for (const one of names) {
      const value = values[one]!;
      if (JSON.stringify(value) === JSON.stringify(standard[one])) delete query[one];
      else query[one] = value;
    }
    void router.replace({ query });
  }
  watch(
    values,
    () => {
      if (route.path !== home) return;
      localStorage.setItem(key, JSON.stringify(Object.fromEntries(names.filter((one) => !passing.includes(one)).map((one) => [one, values[one]]))));
      address();
    },
    { deep: true },
  );
  // A link to this very page, or back and forward, changes the address under us.
  watch(
    () => route.query,
    () => {
      if (route.path !== home) return;
      const wanted = from(route.query);
      if (JSON.stringify(wanted) !== JSON.stringify(from(values))) Object.assign(values, wanted);
    },
  );
  if (!addressed()) address();
  return values;
}
