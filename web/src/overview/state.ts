/**
 * The state of everything in scope, kept in typed arrays: asked for whole once, then only for what changed.
 * A nation has 460,000 points and 23,000 sources; an object for each would stop the page.
 */
import { onScopeDispose, ref, shallowRef } from "vue";
import { ApiError, http } from "@/shared/http";
import { LEVEL_NONE, readPart, type Part } from "./rows";

export interface Listing {
  source: number[];
  code: string[];
  name: string[];
  enterprise: string[];
  level: number[];
  points: number[];
  owner: number[];
}

/** What a page needs of one source; index = place in the listing. */
export interface Picture {
  listing: Listing;
  /** 0 none … 4 red. */
  colour: Uint8Array;
  stale: Uint8Array;
  score: Float32Array;
  /** Points of the source beyond 高 or 低, and how many of them beyond 高高 or 低低. */
  beyond: Uint16Array;
  far: Uint16Array;
  /** Points that are good, bad, stale or were never heard. */
  states: [Uint16Array, Uint16Array, Uint16Array, Uint16Array];
}

const REFRESH_MS = 1_000;

export function useOverview() {
  const picture = shallowRef<Picture | null>(null);
  const turn = ref(0);
  const error = shallowRef<ApiError | null>(null);
  const took = ref({ first: 0, refresh: 0, bytes: 0 });
  const at = ref(0);
  let place = new Map<number, number>();
  let owner: Int32Array = new Int32Array(0);
  let level: Int8Array = new Int8Array(0);
  let state: Uint8Array = new Uint8Array(0);
  let version = "";
  let timer = 0;
  let gone = false;

  async function begin(): Promise<Picture> {
    const listing = await http.get<Listing>("overview/sources");
    const n = listing.source.length;
    place = new Map(listing.source.map((source, at) => [source, at]));
    const top = listing.points.reduce((most, point) => Math.max(most, point), -1) + 1;
    owner = new Int32Array(top).fill(-1);
    level = new Int8Array(top);
    state = new Uint8Array(top).fill(3);
    const made: Picture = {
      listing,
      colour: new Uint8Array(n),
      stale: new Uint8Array(n).fill(1),
      score: new Float32Array(n),
      beyond: new Uint16Array(n),
      far: new Uint16Array(n),
      states: [new Uint16Array(n), new Uint16Array(n), new Uint16Array(n), new Uint16Array(n)],
    };
    listing.points.forEach((point, k) => {
      const of = place.get(listing.owner[k]!) ?? -1;
      owner[point] = of;
      if (of >= 0) made.states[3][of]!++;
    });
    version = "";
    return made;
  }

  function take(part: Part, into: Picture): void {
    for (let k = 0; k < part.sources; k++) {
      const of = place.get(part.sourceOf(k));
      if (of === undefined) continue;
      into.colour[of] = part.colour(k);
      into.stale[of] = part.stale(k);
      into.score[of] = part.score(k);
    }
    for (let k = 0; k < part.points; k++) {
      const point = part.point(k);
      const of = point < owner.length ? owner[point]! : -1;
      if (of < 0) continue;
      const before = Math.abs(level[point]!);
      const after = Math.abs(part.level(k));
      into.beyond[of]! += Number(after > LEVEL_NONE) - Number(before > LEVEL_NONE);
      into.far[of]! += Number(after > 1) - Number(before > 1);
      into.states[state[point] as 0]![of]!--;
      into.states[part.state(k) as 0]![of]!++;
      level[point] = part.level(k);
      state[point] = part.state(k);
    }
  }

  async function refresh(): Promise<void> {
    const began = performance.now();
    try {
      const first = picture.value === null;
      const into = picture.value ?? (await begin());
      const answer = await http.raw(`overview/state?since=${version}`);
      const body = await answer.arrayBuffer();
      if (!first && answer.headers.get("X-Overview-Whole") === "1") {
        // The registry or the server is another one: begin anew.
        picture.value = null;
        return void schedule(0);
      }
      version = answer.headers.get("X-Overview-Version") ?? "";
      take(readPart(body), into);
      picture.value = into;
      turn.value++;
      at.value = Date.now();
      error.value = null;
      const ms = performance.now() - began;
      took.value = { first: first ? ms : took.value.first, refresh: first ? 0 : ms, bytes: body.byteLength };
    } catch (reason) {
      error.value = reason instanceof ApiError ? reason : new ApiError(0, "state", String(reason), "一秒后自动再试");
    }
    schedule(REFRESH_MS);
  }

  function schedule(ms: number): void {
    if (!gone) timer = window.setTimeout(() => void refresh(), ms);
  }
  void refresh();
  onScopeDispose(() => {
    gone = true;
    window.clearTimeout(timer);
  });
  return { picture, turn, error, took, at };
}
