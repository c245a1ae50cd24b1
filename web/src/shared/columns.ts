/** Columns that leave no orphan: six cards where five would fit become three and three. */
import { computed, onBeforeUnmount, onMounted, ref, type ComputedRef, type Ref } from "vue";

export function evenColumns(count: number, room: number): number {
  if (count <= 0 || room <= 1) return 1;
  return Math.ceil(count / Math.ceil(count / room));
}

/** The width of an element, followed. */
export function useWidth(element: Ref<HTMLElement | null>): Ref<number> {
  const width = ref(window.innerWidth);
  const observer = new ResizeObserver(([entry]) => {
    if (entry) width.value = entry.contentRect.width;
  });
  onMounted(() => element.value && observer.observe(element.value));
  onBeforeUnmount(() => observer.disconnect());
  return width;
}

export function useColumns(width: Ref<number>, least: number, most: number): ComputedRef<(count: number) => Record<string, string>> {
  return computed(() => (count: number) => {
    const columns = evenColumns(count, Math.floor(width.value / least));
    return { gridTemplateColumns: `repeat(${columns}, minmax(0, ${most}px))` };
  });
}
