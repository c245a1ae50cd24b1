/** Keys of a page. They rest while a person types, or while a dialog is open (unless asked otherwise). */
import { onBeforeUnmount, onMounted } from "vue";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

export function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName));
}

/** The name of a key in a map: letters in lower case, others as the browser names them; Space by its word. */
export function keyName(event: Pick<KeyboardEvent, "key">): string {
  return event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function dialogOpen(): boolean {
  return [...document.querySelectorAll(".el-dialog")].some((dialog) => dialog.getClientRects().length > 0);
}

export function useKeys(map: KeyMap): void {
  function down(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (dialogOpen() && !["Escape", "?"].includes(event.key)) return;
    if (typing(event.target) && event.key !== "Escape") return;
    const act = map[keyName(event)];
    if (!act) return;
    const onButton = event.target instanceof HTMLElement && ["BUTTON", "A"].includes(event.target.tagName);
    if (onButton && (event.key === "Enter" || event.key === " ")) return;
    act(event);
  }
  onMounted(() => window.addEventListener("keydown", down));
  onBeforeUnmount(() => window.removeEventListener("keydown", down));
}
