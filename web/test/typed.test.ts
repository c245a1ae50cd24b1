import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, reactive } from "vue";
import { useTyped } from "@/shared/typed";

describe("what is typed into a search box", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function box(pauseMs?: number) {
    const kept = reactive({ q: "甲" });
    const searched: string[] = [];
    const scope = effectScope();
    const text = scope.run(() =>
      useTyped(
        () => kept.q,
        (value) => {
          searched.push(value);
          kept.q = value;
        },
        pauseMs,
      ),
    )!;
    const type = async (value: string) => {
      text.value = value;
      await nextTick();
    };
    return { kept, searched, scope, text, type };
  }

  it("begins with the filter, and counts once a person pauses, trimmed", async () => {
    const { kept, searched, text, type } = box();
    expect(text.value).toBe("甲");
    await type("甲醇");
    vi.advanceTimersByTime(299);
    await type("甲醇 ");
    vi.advanceTimersByTime(299);
    expect(searched).toEqual([]);
    vi.advanceTimersByTime(1);
    await nextTick();
    expect([searched, kept.q, text.value]).toEqual([["甲醇"], "甲醇", "甲醇 "]);
  });
  it("follows when the filter is changed elsewhere", async () => {
    const { kept, text } = box();
    kept.q = "";
    await nextTick();
    expect(text.value).toBe("");
  });
  it("does not search after its page is gone", async () => {
    const { searched, scope, type } = box(50);
    await type("乙");
    scope.stop();
    vi.advanceTimersByTime(1000);
    expect(searched).toEqual([]);
  });
});
