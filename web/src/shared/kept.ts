/** Filters that outlive the page: in the address (to be shared) and in the browser (to be found again). */
import { reactive, watch } from "vue";
import { useRoute, useRouter } from "vue-router";

type Values = Record<string, string | string[]>;

function fit(given: unknown, standard: string | string[]): string | string[] {
  if (Array.isArray(standard)) {
    if (Array.isArray(given)) return given.filter((one): one is string => typeof one === "string");
    return typeof given === "string" && given ? [given] : [];
  }
  const one = Array.isArray(given) ? given[0] : given;
  return typeof one === "string" ? one : standard;
}

export function useKept<T extends Values>(name: string, standard: T): T {
  const route = useRoute();
  const router = useRouter();
  const key = `hazwatch.filters.${name}`;
  let stored: Values = {};
  try {
    stored = JSON.parse(localStorage.getItem(key) ?? "{}") as Values;
  } catch {
    // a damaged entry is as good as none
  }
  const names = Object.keys(standard);
  const addressed = names.some((one) => one in route.query);
  const from: Record<string, unknown> = addressed ? route.query : stored;
  const values = reactive(
    Object.fromEntries(names.map((one) => [one, one in from ? fit(from[one], standard[one]!) : standard[one]!])),
  ) as T;

  watch(
    values,
    () => {
      localStorage.setItem(key, JSON.stringify(values));
      const query = { ...route.query };
      for (const one of names) {
        const value = values[one]!;
        if (JSON.stringify(value) === JSON.stringify(standard[one])) delete query[one];
        else query[one] = value;
      }
      void router.replace({ query });
    },
    { deep: true },
  );
  return values;
}
